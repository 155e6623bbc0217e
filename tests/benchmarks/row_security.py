"""What row-level security costs: each operation with it, and without it, in one interleaved run.

    python -m tests.benchmarks.row_security [--rounds 30] [--calls 100] [--pooler]

Runs on a PostgreSQL of its own, over TCP, as an ordinary role. "Without" is
the same database with the policies switched off, and nobody told of an owner;
all else is the same. With `--pooler`, both take their connections for a pooler's.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import uuid4

import psycopg
from sqlalchemy import Dialect, Engine
from tests.databases import Database, migrated_database, service_engine, simulate_pooler
from tests.keyed import add_once
from tests.postgres import PostgresServer

from taskservice.adapters.sql.connection import sessions
from taskservice.adapters.sql.connection.compiled_statements import OWNER_SETTING as SETTING
from taskservice.adapters.sql.connection.compiled_statements import Session, Statement, _Compiled
from taskservice.adapters.sql.storage import repository
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import OpenWorkspace, TaskService
from taskservice.testing import ADA

Operation = Callable[[], Any]
OpenSession = Callable[[Engine, str], AbstractContextManager[Session]]
Settings = Callable[[Engine, str], dict[str, str]]
TASKS = 1000


class Cost(NamedTuple):
    """Seconds of one batch: on the wall, and of CPU in this process and in PostgreSQL's."""

    wall: float
    cpu: float


@contextmanager
def with_policies(database: Database, *, pooler: bool = False) -> Iterator[Engine]:
    """Yield the service's engine."""
    engine = service_engine(database.service, pool_size=1, allow_privileged_role=True)
    yield simulate_pooler(engine) if pooler else engine
    engine.dispose()


@contextmanager
def without_policies(database: Database, *, pooler: bool = False) -> Iterator[Engine]:
    """Yield an engine that says no owner, over tables that ask for none."""
    with psycopg.connect(database.owner, autocommit=True) as owner:
        for table in OWNED_TABLES:
            owner.execute(f"ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY".encode())
    with (
        with_policies(database, pooler=pooler) as engine,
        patch.object(sessions, "_settings", without_owner_setting(engine, sessions._settings)),
        patch.object(
            repository,
            "autocommit_session",
            without_session_owner(engine, sessions.autocommit_session),
        ),
        patch.object(
            Statement,
            "_compile",
            Statement._compile if pooler else without_conversion(Statement._compile),
        ),
    ):
        yield engine


def without_owner_setting(one: Engine, original: Settings) -> Settings:
    """Return the settings of a transaction, without the owner where it is over that engine."""

    def settings(engine: Engine, owner: str) -> dict[str, str]:
        found = original(engine, owner)
        return found if engine is not one else {k: v for k, v in found.items() if k != SETTING}

    return settings


def without_session_owner(one: Engine, original: OpenSession) -> OpenSession:
    """Return a way to open sessions, of which no owner is told where they are over that engine."""

    @contextmanager
    def open_session(engine: Engine, owner: str) -> Iterator[Session]:
        with original(engine, owner) as session:
            is_changed = engine is one and session.is_direct
            yield Session(session.connection, owner) if is_changed else session

    return open_session


def without_conversion(original: Callable[..., _Compiled]) -> Callable[..., _Compiled]:
    """Return what compiles statements for connections on which moments are in UTC, told or not."""
    compiled: dict[Statement, _Compiled] = {}

    def of(statement: Statement, dialect: Dialect, is_direct: bool) -> _Compiled:
        if is_direct:
            return original(statement, dialect, is_direct)
        if statement not in compiled:
            whole = statement._build(sets_owner=False)
            compiled[statement] = _Compiled.of(whole, False, dialect, is_utc=True)
        return compiled[statement]

    return of


@contextmanager
def operations(engine: Engine) -> Iterator[dict[str, Operation]]:
    """Yield every operation, by name, over many tasks of one owner."""
    port = SqlStorage(engine).open_workspace
    with port(ADA) as workspace:
        yield _operations(port, workspace.tasks)


def _operations(port: OpenWorkspace, tasks: TaskService) -> dict[str, Operation]:
    made = [
        tasks.add(NewTask(title=f"Task {n}", description="Of ordinary length."))
        for n in range(TASKS)
    ]
    known = made[TASKS // 2].id

    def edit(task: Task, now: Any) -> Task:
        return task.edit(now, title=f"Task {uuid4()}")

    def keyed() -> None:
        with port(ADA, atomic=True) as workspace:
            add_once(workspace, NewTask(title="Buy milk"), str(uuid4()))

    return {
        "get": lambda: tasks.get(known),
        "list 20": lambda: tasks.list(TaskQuery(limit=20)),
        "list 100": lambda: tasks.list(TaskQuery(limit=100)),
        "search": lambda: tasks.list(TaskQuery(text="999")),
        "create": lambda: tasks.add(NewTask(title="Buy milk")),
        "create with a key": keyed,
        "update": lambda: tasks.change(known, edit),
        "delete": lambda: tasks.remove(tasks.add(NewTask(title="Buy milk")).id),
    }


def cost(engine: Engine, operation: Operation, calls: int) -> Cost:
    """Return what that many calls cost."""
    backend = Path(f"/proc/{_backend(engine)}/schedstat")
    before = perf_counter(), process_time() + _seconds(backend)
    for _ in range(calls):
        operation()
    return Cost(perf_counter() - before[0], process_time() + _seconds(backend) - before[1])


def _backend(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def _seconds(schedstat: Path) -> float:
    return int(schedstat.read_text().split()[0]) / 1e9


def main() -> None:
    """Print, for each operation, how many times what it costs without."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--pooler", action="store_true")
    asked = parser.parse_args()
    with (
        PostgresServer(durable=False) as server,
        migrated_database(server) as one,
        migrated_database(server) as other,
        with_policies(one, pooler=asked.pooler) as with_it,
        without_policies(other, pooler=asked.pooler) as without,
        operations(with_it) as with_operations,
        operations(without) as without_operations,
    ):
        sides = [(with_it, with_operations), (without, without_operations)]
        print(f"{'operation':20}{'wall':>8}{'CPU':>8}{'us with':>10}{'us without':>12}")
        for name in sides[0][1]:
            pairs = [
                [cost(engine, found[name], asked.calls) for engine, found in sides]
                for _ in range(asked.rounds)
            ]
            wall = median(
                with_policies.wall / without_policies.wall
                for with_policies, without_policies in pairs
            )
            cpu = [median(pair[side].cpu for pair in pairs) for side in (0, 1)]
            each = [
                median(pair[side].wall for pair in pairs) / asked.calls * 1e6 for side in (0, 1)
            ]
            print(f"{name:20}{wall:8.2f}{cpu[0] / cpu[1]:8.2f}{each[0]:10.0f}{each[1]:12.0f}")


if __name__ == "__main__":
    main()
