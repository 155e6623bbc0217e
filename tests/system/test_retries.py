"""A create that is sent again makes one task, whatever runs at once and whatever dies."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, insert, select, text
from tests.databases import migrated_database
from tests.http_callers import token_of
from tests.postgres import Databases
from tests.processes import Answer, Service, gunicorn, run, write_program
from tests.secret_values import SECRET
from tests.system.conftest import command

from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.admin.prune import prune
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.tables import changes, idempotency_keys, tasks

PATH = "/api/tasks/ada/tasks"
ADA = token_of("ada")

# A keyed creation that is killed in front of its n-th statement, or behind the last.
KILLED = """
import os, signal, sys
from sqlalchemy import event
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import pooled_engine
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.task import NewTask
from taskservice.testing import tasks_of

address, fatal = sys.argv[1], int(sys.argv[2])
engine = pooled_engine(
    database_url(address),
    pool_size=1,
    pool_timeout=1,
    prepared_statements=False,
    timeouts=Timeouts(statement=3, lock=1),
    allow_privileged_role=False,
)
with engine.connect():
    pass
statements = []

@event.listens_for(engine, "before_cursor_execute")
def kill(connection, cursor, statement, *_):
    statements.append(statement)
    if len(statements) == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

with SqlStorage(engine).open_workspace("ada", atomic=True) as workspace:
    workspace.idempotency.begin("key", b"fingerprint")
    workspace.tasks.add(NewTask(title="Buy milk"))
    workspace.idempotency.complete("key", b"response")
assert statements[-1] == "COMMIT"
print(len(statements))
"""


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, production: dict[str, str]
) -> Iterator[Service]:
    settings = {**production, "TASKSERVICE_POOL_TIMEOUT": "30"}
    with gunicorn(tmp_path_factory.mktemp("retries"), **settings) as service:
        yield service


def create(service: Service, key: str) -> Answer:
    """Create as a client does: again, with the same key, as long as it hears 409."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = service("POST", PATH, ADA, {"title": "Buy milk"}, **{"Idempotency-Key": key})
        if answer.status != 409:
            return answer
        assert answer.headers["Retry-After"] == "1"
    raise AssertionError("409 for 30 s")


def test_50_parallel_creations_under_one_key_make_one_task(service: Service) -> None:
    """All hear of the same task; one made it, the others are told that they repeat it."""
    before = service("GET", PATH, ADA, Prefer="count=exact").headers["X-Total-Count"]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: create(service, "parallel"), range(50)))
    after = service("GET", PATH, ADA, Prefer="count=exact").headers["X-Total-Count"]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert int(after) == int(before) + 1


def test_counted_updates_over_processes_are_all_kept(service: Service) -> None:
    """200 updates with `If-Match` and retry, by 8 clients over two processes, end at 200."""
    task = service("POST", PATH, ADA, {"title": "0"}).json
    address = f"{PATH}/{task['id']}"

    def count(_: int) -> None:
        while True:
            seen = service("GET", address, ADA)
            body = {"title": str(int(seen.json["title"]) + 1)}
            answer = service("PUT", address, ADA, body, **{"If-Match": seen.headers["ETag"]})
            if answer.status == 200:
                return
            assert answer.status == 412

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))
    after = service("GET", address, ADA).json
    assert (after["title"], after["version"]) == ("200", 201)


def test_a_key_in_flight_is_409(postgresql: Databases, tmp_path: Path) -> None:
    """While another holds the key, a request waits for a second, hears 409, and may come again."""
    with migrated_database(postgresql) as database:
        settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
        key = {"Idempotency-Key": "held"}
        with (
            gunicorn(tmp_path, **settings) as service,
            psycopg.connect(database.superuser) as holder,
        ):
            holder.execute(
                "INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at)"
                " VALUES ('ada', 'held', '', now())"
            )
            began = time.monotonic()
            answer = service("POST", PATH, ADA, {"title": "Buy milk"}, **key)
            waited = time.monotonic() - began
            assert (answer.status, answer.json["type"]) == (409, "/problems/key-in-use")
            assert answer.headers["Retry-After"] == "1"
            assert 0.9 < waited < 3
            holder.rollback()
            assert service("POST", PATH, ADA, {"title": "Buy milk"}, **key).status == 201


@pytest.fixture(params=["sqlite", "postgresql"])
def mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Engine]]:
    """A migrated database's address for a service that dies, and an engine to look into it."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/tasks.db"
        command(tmp_path, "db", "upgrade", DATABASE_URL=address)
        yield address, unpooled_engine(database_url(address))
    else:
        with migrated_database(request.getfixturevalue("postgresql")) as database:
            yield database.service, database.superuser_engine


def test_a_process_killed_anywhere_leaves_all_or_nothing(
    mortal: tuple[str, Engine], tmp_path: Path
) -> None:
    """In front of every statement: no task, key or change; behind the last: one of each."""
    address, database = mortal
    fatal, killed = 1, write_program(tmp_path, KILLED)
    while True:
        result = run([*killed, address, str(fatal)], tmp_path)
        with database.connect() as connection:
            made = len(connection.execute(select(tasks.c.id)).all())
            kept = len(connection.execute(select(idempotency_keys.c.key)).all())
            logged = [*connection.execute(select(changes.c.seq)).scalars()]
        if result.returncode == 0:
            assert (made, kept, logged) == (1, 1, [1])
            break
        assert result.returncode == -signal.SIGKILL, result.stderr
        assert (made, kept, logged) == (0, 0, [])
        fatal += 1
    statements = {"sqlite": 9, "postgresql": 5}[database.dialect.name]
    assert fatal - 1 == int(result.stdout) == statements


def test_what_has_expired_is_pruned(tmp_path: Path, production: dict[str, str]) -> None:
    """`db prune` removes idempotency_keys after a day and no sooner, as the tables' owner."""
    address = f"sqlite:///{tmp_path}/tasks.db"
    command(tmp_path, "db", "upgrade", DATABASE_URL=address)
    now = datetime.now(UTC).replace(tzinfo=None)
    database = unpooled_engine(database_url(address))
    with database.connect() as connection:
        for hours in (1, 23, 25, 100):
            connection.execute(
                text("INSERT INTO idempotency_keys VALUES ('ada', :key, x'00', NULL, :at)"),
                {"key": f"{hours}", "at": str(now - timedelta(hours=hours))},
            )
    said = command(tmp_path, "db", "prune", DATABASE_URL=address)
    assert said.splitlines() == [
        "removed 0 tasks from the trash",
        "removed 2 expired idempotency records",
        "removed 0 expired changes",
    ]
    with database.connect() as connection:
        assert set(connection.execute(select(idempotency_keys.c.key)).scalars()) == {"1", "23"}


def test_an_idempotency_record_is_kept_for_a_day(tmp_path: Path) -> None:
    """At the very end of its last hour it is there, and a moment later it is not."""
    database = unpooled_engine(database_url(f"sqlite:///{tmp_path}/tasks.db"))
    upgrade(database)
    made = datetime(2026, 1, 1, tzinfo=UTC)
    with database.connect() as connection:
        row = {"user_id": "ada", "key": "k", "fingerprint": b"", "created_at": made}
        connection.execute(insert(idempotency_keys).values(row))
    end = made + timedelta(hours=24)
    assert prune(database, end) == 0
    assert prune(database, end + timedelta.resolution) == 1
