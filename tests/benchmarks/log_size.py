"""The size of the change log and the trash: bytes for each change, on a PostgreSQL of its own.

    python -m tests.benchmarks.log_size [--users 200] [--changes 100]

Users take turns, as they do in a service: each creates so many tasks, then changes the title of
each, then deletes each. All of it runs through the SQL adapter, as an ordinary role, with a client
and a request id.
"""

import argparse
from collections.abc import Callable
from uuid import UUID, uuid4

from sqlalchemy import Engine, text
from tests.databases import migrated_database, service_engine
from tests.postgres import PostgresServer

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.changes import Origin
from taskservice.core.entity import Edit
from taskservice.core.task import NewTask
from taskservice.core.workspace import TaskService

LOG = ("changes", "changes_pkey", "changes_by_entity")
TRASH = ("trash", "trash_pkey", "trash_by_time")
RELATIONS = (*LOG, *TRASH, "heads", "heads_pkey")


def sizes(engine: Engine) -> dict[str, int]:
    """Return the bytes of each table without its indexes, and of each index."""
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        size = text("SELECT pg_relation_size(CAST(:name AS regclass))")
        return {one: connection.execute(size, {"name": one}).scalar_one() for one in RELATIONS}


def report(name: str, before: dict[str, int], after: dict[str, int], count: int) -> None:
    """Print the bytes that each of `count` changes has added, and to the trash if it did."""
    for relations in (LOG, TRASH):
        added = {one: (after[one] - before[one]) / count for one in relations}
        parts = ", ".join(f"{one} {size:.0f}" for one, size in added.items())
        print(f"{name}: {sum(added.values()):.0f} bytes for each change: {parts}")


def main() -> None:
    parser = argparse.ArgumentParser(description="How large the change log is.")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--changes", type=int, default=100)
    chosen = parser.parse_args()
    users = [f"auth0|{uuid4().hex[:24]}" for _ in range(chosen.users)]
    with PostgresServer(durable=True) as server, migrated_database(server) as database:
        engine = service_engine(database.service)
        storage = SqlStorage(engine)
        ids: dict[tuple[str, int], UUID] = {}

        def write(operation: Callable[[TaskService, tuple[str, int]], object]) -> None:
            for number in range(chosen.changes):
                for user in users:
                    origin = Origin("web", uuid4().hex)
                    with storage.open_workspace(user, origin=origin) as workspace:
                        operation(workspace.tasks, (user, number))

        def create(tasks: TaskService, key: tuple[str, int]) -> None:
            ids[key] = tasks.add(NewTask(title="Buy milk")).id

        def change(tasks: TaskService, key: tuple[str, int]) -> None:
            tasks.change(ids[key], Edit({"title": "Buy oat milk"}))

        def delete(tasks: TaskService, key: tuple[str, int]) -> None:
            tasks.trash(ids[key])

        count = chosen.users * chosen.changes
        looked_at = database.superuser_engine
        for operation in (create, change, delete):
            before = sizes(looked_at)
            write(operation)
            report(operation.__name__, before, sizes(looked_at), count)
        after = sizes(looked_at)
        heads = (after["heads"] + after["heads_pkey"]) / chosen.users
        print(f"heads: {heads:.0f} bytes for each user, after {3 * chosen.changes} changes of each")
        engine.dispose()


if __name__ == "__main__":
    main()
