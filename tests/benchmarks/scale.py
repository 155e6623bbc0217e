"""How the service scales with its tasks: reads, pages at depth, deltas, writes, index sizes.

    python -m tests.benchmarks.scale [--tasks 1000,100000,1000000] [--rounds 40] [--partitioned]

One user has a tenth of the tasks and 1,000 at least, the others a hundred each. Runs on a
PostgreSQL of its own, as an ordinary role under row-level security, through
the SQL adapter; each size is a database of its own, and they take turns. Times are medians, in ms.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, text
from tests.databases import migrated_database, service_engine
from tests.keyed import add_once
from tests.postgres import PostgresServer
from tests.query_plans import (
    BIG,
    IN_THE_NAME,
    deep,
    fill,
    list_of,
    orders,
    plan,
    queries,
)

from taskservice.adapters.sql.admin.partition import partition
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.changes import Position
from taskservice.core.moves import Move
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task, move_task
from taskservice.testing import tasks_of

Figures = dict[str, float]
Calls = dict[str, Callable[[], Any]]

UNCOUNTED = 6
DEFAULT = "sort=-created_at"

SCANS = re.compile(r"Seq Scan|Sort(?! Key)|Bitmap Heap Scan|(?:using )\w+")

# An index of a partition is counted with those that its columns make alike.
SIZES = """
    WITH tables(relid) AS (
        SELECT oid FROM pg_class WHERE oid = 'tasks'::regclass
        UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = 'tasks'::regclass)
    SELECT 'index on ' || regexp_replace(pg_get_indexdef(indexrelid), '.* USING btree ', ''),
           sum(pg_relation_size(indexrelid))
      FROM pg_index JOIN tables ON indrelid = relid GROUP BY 1
    UNION ALL SELECT 'table', sum(pg_table_size(relid)) FROM tables ORDER BY 1
"""


# As many changes of one user as there are tasks of all.
LOG = """
    UPDATE heads SET seq = greatest(seq, :changes) WHERE user_id = :owner;
    INSERT INTO changes
    SELECT :owner, number, gen_random_uuid(), 'task.created', 'task', ids[1 + number % :tasks], 1,
           now(), NULL, 'web', NULL
      FROM (SELECT array_agg(id ORDER BY id) FROM tasks WHERE user_id = :owner) AS own(ids),
           (SELECT max(seq) FROM changes WHERE user_id = :owner) AS logged(last),
           generate_series(last + 1, :changes) number;
    ANALYZE heads, changes
"""


def share(tasks: int) -> int:
    """Return how many tasks one user has: enough for a deep page to be a full one."""
    return min(max(tasks // 10, 1_000), tasks)


@contextmanager
def filled_database(server: PostgresServer, tasks: int, partitioned: bool) -> Iterator[Engine]:
    """Yield an engine of the service's role, over a database with that many tasks."""
    with migrated_database(server) as database:
        fill(database.superuser_engine, tasks, share(tasks))
        fill_log(database.superuser_engine, tasks)
        if partitioned:
            taken = milliseconds(lambda: partition(database.owner_engine)) / 1000
            print(f"{tasks} tasks put into partitions in {taken:.1f} s")
        server.execute(IN_THE_NAME.format(role=database.role, owner=BIG))
        engine = service_engine(database.service, pool_size=1, prepared_statements=True)
        yield engine
        engine.dispose()


def fill_log(engine: Engine, length: int) -> None:
    """Log so many changes of the user with most tasks."""
    values = {"owner": BIG, "changes": length, "tasks": share(length)}
    with engine.begin() as connection:
        for statement in LOG.split(";"):
            connection.execute(text(statement), values)


def interleaved(rounds: int, *calls: Calls) -> list[Figures]:
    """Return the median times in ms, sizes taking turns at each call, after some uncounted."""
    times = [
        {name: [milliseconds(one[name]) for one in calls] for name in calls[0]}
        for _ in range(rounds + UNCOUNTED)
    ][UNCOUNTED:]
    return [
        {name: median(taken[name][which] for taken in times) for name in calls[0]}
        for which in range(len(calls))
    ]


def milliseconds(call: Callable[[], Any]) -> float:
    began = perf_counter()
    call()
    return (perf_counter() - began) * 1000


def operations(engine: Engine) -> Calls:
    """Return what is asked for one task."""
    store = SqlStorage(engine)
    open_own = partial(store.open_workspace, BIG)
    in_list = list_of(BIG).id
    with tasks_of(store.open_workspace)(BIG) as tasks:
        some = tasks.list(TaskQuery()).items
        listed = cycle(tasks.list(orders()["list_id, parent_id=none, sort=position"]).items)

    def create_with_key() -> None:
        with store.open_workspace(BIG, atomic=True) as workspace:
            add_once(workspace, NewTask(title="Buy milk"), str(uuid4()))

    def toggle() -> None:
        completed = tasks.get(some[0].id).completed
        tasks.change(some[0].id, Task.reopen if completed else Task.complete)

    def move() -> None:
        move_task(open_own, next(listed).id, Move(place="last"))

    def complete_recurring() -> None:
        new = NewTask(title="Buy milk", due=date(2026, 3, 1), recurrence="FREQ=DAILY")
        complete_task(open_own, tasks.add(new).id, Completion(completed=True))

    return {
        **delta_calls(engine),
        "get": lambda: tasks.get(some[-1].id),
        "create": lambda: tasks.add(NewTask(title="Buy milk")),
        "create in a list": lambda: tasks.add(NewTask(title="Buy milk", list_id=in_list)),
        "create, with an Idempotency-Key": create_with_key,
        "get, complete": toggle,
        "create and complete, with a recurrence": complete_recurring,
        "move to the end of a list": move,
    }


def delta_calls(engine: Engine) -> Calls:
    """Return what is asked of the log: the last changes, and whether there are any."""
    with engine.connect() as connection:
        numbers = connection.exec_driver_sql("SELECT seq - 100, seq FROM heads").one()
        at = text("SELECT seq, id FROM changes WHERE seq = :number")
        rows = [connection.execute(at, {"number": one}).one() for one in numbers]
    before, end = (Position.of(*row) for row in rows)
    with SqlStorage(engine).open_workspace(BIG) as workspace:
        log = workspace.changes
    return {
        "delta of 100 changes": lambda: log.since(before, before, 100),
        "delta, up to date": lambda: log.since(end, end, 100),
    }


def pages(engine: Engine, big: int) -> Calls:
    """Return what is asked of the lists of the user who has `big` tasks, first and deep."""
    with tasks_of(SqlStorage(engine).open_workspace)(BIG) as tasks:
        found: Calls = {}
        for name, query in queries(big).items():
            found[name] = partial(tasks.list, query)
            found[f"{name}, at 90 %"] = partial(tasks.list, deep(engine, query))
        return found


def slow_pages(engine: Engine) -> Calls:
    """Return what must go through all tasks of a user."""
    with tasks_of(SqlStorage(engine).open_workspace)(BIG) as tasks:
        return {
            "search, matches at once": lambda: tasks.list(TaskQuery(text="milk")),
            "search, no match": lambda: tasks.list(TaskQuery(text="nowhere to be found")),
            "count=exact": lambda: tasks.list(TaskQuery(with_total=True)),
        }


def sizes(engine: Engine, tasks: int) -> Figures:
    """Return bytes per task."""
    with engine.connect() as connection:
        found = connection.execute(text(SIZES))
        return {f"bytes per task, {name}": float(size) / tasks for name, size in found}


def scans(engine: Engine, big: int) -> set[str]:
    """Return how PostgreSQL goes about every page."""
    return {
        node
        for query in queries(big).values()
        for at in (query, deep(engine, query))
        for node in SCANS.findall(plan(engine, at))
    }


def measure(engines: dict[int, Engine], rounds: int) -> dict[int, Figures]:
    """Return what was measured over each number of tasks."""
    for tasks, engine in engines.items():
        print(f"{tasks} tasks, pages by: {', '.join(sorted(scans(engine, share(tasks))))}")
    found = zip(
        (sizes(engine, tasks) for tasks, engine in engines.items()),
        interleaved(rounds, *(operations(engine) for engine in engines.values())),
        interleaved(rounds, *(pages(engine, share(tasks)) for tasks, engine in engines.items())),
        interleaved(max(rounds // 8, 3), *(slow_pages(engine) for engine in engines.values())),
        strict=True,
    )
    return dict(zip(engines, ({**a, **b, **c, **d} for a, b, c, d in found), strict=True))


def report(measured: dict[int, Figures]) -> None:
    """Print what was measured of each size; the last column is the last size's to the first's."""
    columns = list(measured.values())
    first, last = columns[0], columns[-1]
    print(f"| | {' | '.join(f'{tasks:,}' for tasks in measured)} | growth |")
    print(f"|---|{'--:|' * (len(measured) + 1)}")
    for name in first:
        cells = [f"{figures[name]:.2f}" for figures in measured.values()]
        print(f"| {name} | {' | '.join(cells)} | {last[name] / first[name]:.2f} |")
    for name in [name for name in last if f"{name}, at 90 %" in last]:
        first_page, deep_page = last[name], last[f"{name}, at 90 %"]
        print(
            f"{name}: {first_page / last[DEFAULT]:.2f} times the first page of the default list; "
            f"at 90 % of the depth, {deep_page / first_page:.2f} times its own first page"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="How the service scales with its tasks.")
    parser.add_argument("--tasks", default="1000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--partitioned", action="store_true", help="in 16 partitions by owner")
    chosen = parser.parse_args()
    with PostgresServer(durable=True) as server, ExitStack() as opened:
        engines = {
            int(tasks): opened.enter_context(
                filled_database(server, int(tasks), chosen.partitioned)
            )
            for tasks in chosen.tasks.split(",")
        }
        report(measure(engines, chosen.rounds))


if __name__ == "__main__":
    main()
