"""The log as a stream: PostgreSQL decodes each change once, in the order of the numbers.

It is decoded by `pgoutput`, which is part of every PostgreSQL, through the publication of
`docs/change-stream.md`. The server is one of its own, as it needs another `wal_level`.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import psycopg
import pytest
from tests.databases import Database, migrated_database, service_engine
from tests.postgres import PostgresServer
from tests.processes import ROOT

from taskservice.adapters.sql.admin.partition import partition
from taskservice.adapters.sql.admin.prune import prune_changes
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import changes
from taskservice.core.entity import Edit
from taskservice.core.task import NewTask
from taskservice.core.tasks import remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.testing import ADA, BOB

PAGE = (ROOT / "docs" / "change-stream.md").read_text()
WRITERS, ROUNDS, CHANGES_OF_A_ROUND = 4, 10, 8
OWNERS = (ADA, BOB)

BEGIN_SLOT = "SELECT pg_create_logical_replication_slot('taskservice_changes', 'pgoutput')"
DECODE = """
    SELECT data FROM pg_logical_slot_get_binary_changes('taskservice_changes', NULL, NULL,
        'proto_version', '1', 'publication_names', 'taskservice_changes')
"""

AGE = "UPDATE changes SET at = at - INTERVAL '40 days'"

Row = dict[str, str | None]


class Undone(Exception):
    """Ends a transaction whose changes nothing may read."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that writes what decoding needs, and writes it before a COMMIT returns."""
    settings = {"wal_level": "logical", "synchronous_commit": "on"}
    with PostgresServer(durable=False, settings=settings) as server:
        yield server


class Published(NamedTuple):
    """A database with the publication, and the address of the role that reads the stream."""

    database: Database
    reader: str


@pytest.fixture(params=["plain", "partitioned"])
def published(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[Published]:
    """A database that is prepared as the page says."""
    role, publication = documented_sql()
    with migrated_database(server) as database, ExitStack() as stack:
        if request.param == "partitioned":
            partition(database.owner_engine)
        name = database.superuser.rpartition("/")[2]
        for statement in role.replace("DATABASE taskservice", f"DATABASE {name}").split(";")[:-1]:
            server.execute(statement)
        stack.callback(server.execute, "DROP ROLE taskservice_stream")
        stack.callback(server.execute, f"REVOKE ALL ON DATABASE {name} FROM taskservice_stream")
        execute(database.owner, publication)
        reader = server.url(name, "taskservice_stream")
        execute(reader, BEGIN_SLOT)
        stack.callback(server.execute, "SELECT pg_drop_replication_slot('taskservice_changes')")
        yield Published(database, reader)


def execute(address: str, statement: str) -> list[Any]:
    """Run a statement as the role of an address; return its rows, if it has any."""
    with psycopg.connect(address) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def documented_sql() -> list[str]:
    """Return the blocks of SQL of the page."""
    return re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def documented_settings() -> dict[str, str]:
    """Return the settings of Debezium on the page."""
    (block,) = re.findall(r"```properties\n(.*?)```", PAGE, re.DOTALL)
    return dict(line.split("=", 1) for line in block.splitlines())


def write(storage: SqlStorage, owner: str) -> None:
    """Create, change, delete, restore and purge tasks, also in transactions.

    Of these every other one is undone.
    """
    for number in range(ROUNDS):
        with storage.open_workspace(owner) as workspace:
            task = workspace.tasks.add(NewTask(title=f"Buy milk {number}"))
            workspace.tasks.change(task.id, Edit({"title": "Buy bread"}))
        for is_undone in (True, False):
            with suppress(Undone), storage.open_workspace(owner, atomic=True) as workspace:
                workspace.tasks.add(NewTask(title="Buy stamps"))
                workspace.tasks.change(task.id, Edit({"description": "Two liters"}))
                if is_undone:
                    raise Undone
        open_own = partial(storage.open_workspace, owner)
        remove_task(open_own, task.id)
        restore_task(open_own, task.id)
        remove_task(open_own, task.id)
        purge_task(open_own, task.id)


def decoded(address: str) -> list[tuple[str, Row]]:
    """Return each row that was inserted, with the name of its table, in order of commit."""
    tables: dict[int, tuple[str, list[str]]] = {}
    rows = []
    for (data,) in execute(address, DECODE):
        message = Message(data)
        match message.take(1):
            case b"R":
                oid, relation = message.number(4), message.relation()
                tables[oid] = relation
            case b"I":
                table, columns = tables[message.number(4)]
                assert message.take(1) == b"N"
                rows.append((table, dict(zip(columns, message.row(), strict=True))))
            case kind:
                assert kind in {b"B", b"C"}, kind
    return rows


class Message:
    """A message of `pgoutput` (PostgreSQL's manual, "Logical Replication Message Formats")."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def text(self) -> str:
        taken, _, self._data = self._data.partition(b"\0")
        return taken.decode()

    def relation(self) -> tuple[str, list[str]]:
        """Return the name of a table, and those of its columns."""
        table = f"{self.text()}.{self.text()}"
        self.take(1)
        return table, [self._column() for _ in range(self.number(2))]

    def _column(self) -> str:
        self.take(1)
        name = self.text()
        self.take(8)
        return name

    def row(self) -> list[str | None]:
        """Return the values of a row."""
        return [self._value() for _ in range(self.number(2))]

    def _value(self) -> str | None:
        if self.take(1) == b"n":
            return None
        return self.take(self.number(4)).decode()


def test_each_change_is_decoded_once_and_in_order(published: Published) -> None:
    """Under the writers of two users, without a gap. What was undone or pruned adds nothing."""
    engine = service_engine(published.database.service)
    writers = [(SqlStorage(engine), owner) for owner in OWNERS for _ in range(WRITERS)]
    with ThreadPoolExecutor(len(writers)) as pool:
        for one in [pool.submit(write, *writer) for writer in writers]:
            one.result()
    engine.dispose()
    count = WRITERS * ROUNDS * CHANGES_OF_A_ROUND
    execute(published.database.superuser, AGE)
    now = datetime.now(UTC)
    owner_engine = published.database.owner_engine
    assert prune_changes(owner_engine, now - timedelta(days=30), now) == len(OWNERS) * (count - 1)
    rows = decoded(published.reader)
    assert {table for table, _ in rows} == {documented_settings()["table.include.list"]}
    for owner in OWNERS:
        numbers = [row["seq"] for _, row in rows if row["user_id"] == owner]
        assert numbers == [f"{n + 1}" for n in range(count)]


@pytest.mark.parametrize("published", ["plain"], indirect=True)
def test_the_role_of_the_stream_reads_no_table(published: Published) -> None:
    """It has no privilege but to replicate."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(published.reader, "SELECT FROM changes")


def test_the_settings_name_columns_of_the_log() -> None:
    """Those of the message's id, key and content, and those that are added."""
    settings: Mapping[str, Any] = documented_settings()
    prefix = "transforms.outbox."
    named = [value for name, value in settings.items() if f"{prefix}table.field." in name]
    added = settings[f"{prefix}table.fields.additional.placement"].split(",")
    routed = settings[f"{prefix}route.by.field"]
    columns = {*named, routed, *(one.partition(":")[0] for one in added)}
    assert columns <= {*changes.c.keys()}
    assert len(named) == len(added) / 2 == 3
