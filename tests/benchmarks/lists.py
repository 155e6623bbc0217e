"""How lists scale: pages at depth against first pages, plans, index sizes, the price of a key.

    python -m tests.benchmarks.lists [--tasks 1000000] [--big 100000] [--rounds 40]

Runs on a PostgreSQL of its own, as an ordinary role under a row-level policy.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, text
from tests.homes import served, served_engine
from tests.plans import BIG, IN_THE_NAME, deep, fill, plan, queries
from tests.postgres import PostgresServer

from taskservice.adapters.sql.task_service import SqlTasks
from taskservice.core.once import Attempt, OnceOnly
from taskservice.core.query import TaskQuery
from taskservice.core.service import TaskService

NODES = re.compile(r"Seq Scan|Sort(?! Key)|Bitmap Heap Scan|using \w+")
SIZES = """
    SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)
      FROM pg_index WHERE indrelid = 'tasks'::regclass
    UNION ALL SELECT 'table', pg_table_size('tasks') ORDER BY 1
"""


@contextmanager
def database(tasks: int, big: int) -> Iterator[Engine]:
    """Yield an engine of the service's role, over a database with that many tasks."""
    with PostgresServer(durable=True) as server, served(server) as home:
        fill(home.inspected, tasks, big)
        server.execute(IN_THE_NAME.format(role=home.role, owner=BIG))
        engine = served_engine(home.service, pool_size=1)
        yield engine
        engine.dispose()


def milliseconds(call: Callable[[], Any]) -> float:
    began = perf_counter()
    call()
    return (perf_counter() - began) * 1000


def interleaved(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """Return the median time of each call in ms, taken in turns, after one of each uncounted."""
    times = [[milliseconds(call) for call in calls] for _ in range(rounds + 1)][1:]
    return [median(column) for column in zip(*times, strict=True)]


def report_pages(engine: Engine, tasks: TaskService, big: int, rounds: int) -> None:
    print(f"{'page of 100':36} {'first ms':>9} {'deep ms':>9} {'deep/first':>10}  scan")
    for name, query in queries(big).items():
        at_depth = deep(engine, query)
        calls = [partial(tasks.list, one) for one in (query, at_depth)]
        first, last = interleaved(rounds, *calls)
        plans = plan(engine, query) + plan(engine, at_depth)
        nodes = sorted(
            set(re.findall(r"Seq Scan|Sort(?! Key)|Bitmap Heap Scan|(?:using )\w+", plans))
        )
        print(f"{name:36} {first:9.2f} {last:9.2f} {last / first:10.2f}  {', '.join(nodes)}")


def report_search(tasks: TaskService, rounds: int) -> None:
    plain, found, absent, counted = interleaved(
        max(rounds // 8, 3),
        lambda: tasks.list(TaskQuery()),
        lambda: tasks.list(TaskQuery(text="milk")),
        lambda: tasks.list(TaskQuery(text="nowhere to be found")),
        lambda: tasks.list(TaskQuery(counted=True)),
    )
    print(f"search: found at once {found:.1f} ms, not found {absent:.1f} ms, plain {plain:.1f} ms")
    print(f"count=exact: {counted:.1f} ms, {counted / plain:.1f} times the page without")


def report_sizes(engine: Engine, tasks: int) -> None:
    with engine.connect() as connection:
        for name, size in connection.execute(text(SIZES)):
            print(f"{name:36} {size / tasks:9.1f} bytes per task")


def report_key(store: SqlTasks, tasks: TaskService, rounds: int) -> None:
    def keyed() -> None:
        with store.open_tasks(BIG, together=True) as together:
            OnceOnly(together, Attempt(str(uuid4()), b"digest")).add(title="Buy milk")

    plain, once = interleaved(rounds * 5, lambda: tasks.add(title="Buy milk"), keyed)
    print(f"create: {plain:.2f} ms, with a key {once:.2f} ms, ratio {once / plain:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="How lists scale.")
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--big", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    with database(chosen.tasks, chosen.big) as engine:
        store = SqlTasks(engine)
        with store.open_tasks(BIG) as tasks:
            report_pages(engine, tasks, chosen.big, chosen.rounds)
            report_search(tasks, chosen.rounds)
            report_sizes(engine, chosen.tasks)
            report_key(store, tasks, chosen.rounds)


if __name__ == "__main__":
    main()
