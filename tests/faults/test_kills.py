"""A write and its changes are there together, or neither is, whatever is killed at a statement."""

import itertools
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from tests.databases import migrated_database, service_engine, sqlite_database
from tests.faults import rows
from tests.faults.change_log import broken_log
from tests.faults.killed import WRITES, prepare, strike_at
from tests.faults.killed_batches import OpenOwn
from tests.faults.postgres_crashes import FragileServer
from tests.faults.timelines import Timelines
from tests.processes import ROOT, run

from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import Unavailable

pytestmark = pytest.mark.lengthy

MOMENTS = ["before", "after"]


class Store(NamedTuple):
    """A database: its address for the service, and an engine that sees all rows."""

    address: str
    rows: Engine

    def changes_of(self, owner: str) -> int:
        """Return how many changes there are, if they agree with the rows."""
        log = rows.log(self.rows, [owner])
        found = [*broken_log(rows.snapshot(self.rows, [owner]), log, Timelines())]
        assert not found, found
        return len(log.changes)


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    address = sqlite_database(Path(tmp_path_factory.mktemp("kills")))
    return Store(address, unpooled_engine(database_url(address)))


@pytest.fixture(scope="module")
def postgresql_store(postgres_server: FragileServer) -> Iterator[Store]:
    with migrated_database(postgres_server) as database:
        yield Store(database.service, database.superuser_engine)


def prepared(store: Store) -> tuple[str, int]:
    """Return a new owner, for whom all is prepared, and the number of changes of that."""
    owner = f"u{uuid4().hex}"
    engine = service_engine(store.address)
    prepare(partial(SqlStorage(engine).open_workspace, owner))
    engine.dispose()
    return owner, store.changes_of(owner)


def repeated(store: Store, owner: str, write: str) -> int:
    """Do a write with a key again, and then once more; return the number of all changes."""
    do, _ = WRITES[write]
    engine = service_engine(store.address)
    for _ in range(2):
        do(partial(SqlStorage(engine).open_workspace, owner))
    engine.dispose()
    return store.changes_of(owner)


def outcome_of(do: Callable[[OpenOwn], None], open_own: OpenOwn) -> str:
    """Do a write, and return what the service says of it."""
    try:
        do(open_own)
    except Unavailable as error:
        return error.outcome
    return "applied"


COMMITS = [name for name in WRITES if not name.startswith("undo")]
"""An undo ends in the transaction of another write, and has more statements to kill it at."""
KEYED = [name for name in WRITES if "with a key" in name]
"""The writes that may be done again, and are done once."""


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_process_leaves_a_write_with_its_changes_or_neither(
    request: pytest.FixtureRequest, kind: str, write: str, moment: str
) -> None:
    """At each statement; before the first one there is nothing yet, after the last all is done."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    _, changes = WRITES[write]
    made = []
    for number in itertools.count():
        owner, before = prepared(store)
        command = [sys.executable, "-m", "tests.faults.killed", owner, write, str(number), moment]
        status = run(command, ROOT, DATABASE_URL=store.address).returncode
        made.append(store.changes_of(owner) - before)
        if write in KEYED:
            assert repeated(store, owner, write) - before == changes
        if status == 0:
            break
        assert status == -signal.SIGKILL
    *killed, done = made
    assert killed[0] == (changes if moment == "after" and len(killed) == 1 else 0)
    assert done == changes
    assert set(made) <= {0, changes}
    assert killed[-1] == (changes if moment == "after" else 0)


@pytest.mark.parametrize("write", COMMITS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_database_has_a_write_with_its_changes_or_neither(
    postgresql_store: Store, postgres_server: FragileServer, write: str, moment: str
) -> None:
    """At each statement; and the service says which."""
    do, changes = WRITES[write]

    def strike() -> None:
        postgres_server.kill()
        postgres_server.start()
        struck.append(True)

    for number in itertools.count():
        struck: list[bool] = []
        owner, before = prepared(postgresql_store)
        engine = service_engine(postgresql_store.address)
        strike_at(engine, number, moment, strike)
        outcome = outcome_of(do, partial(SqlStorage(engine).open_workspace, owner))
        engine.dispose()
        made = postgresql_store.changes_of(owner) - before
        assert made == {"applied": changes, "not_applied": 0}[outcome]
        if write in KEYED:
            assert repeated(postgresql_store, owner, write) - before == changes
        if not struck:
            break
    assert number >= 1
