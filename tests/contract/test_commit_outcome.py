"""Commit outcome: how a lost response to COMMIT is resolved, by the owner's lock and log."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from functools import partial
from itertools import count
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import Engine
from tests.databases import Database, await_lock, service_engine

from taskservice.adapters.sql.connection import commit_outcome
from taskservice.adapters.sql.connection.commit_outcome import IsCommitted, resolve_commit_outcome
from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.adapters.sql.connection.sessions import autocommit_session
from taskservice.adapters.sql.storage import repository
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.storage.written import Written
from taskservice.core.changes import UNKNOWN_ORIGIN, Change, DescribeChange
from taskservice.core.errors import Unavailable
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import Workspace
from taskservice.testing import START

_numbers = count()
_new_id = TimeOrderedIds()


class Owner(NamedTuple):
    """An owner, the ids of whose changes are known to the test."""

    engine: Engine
    name: str
    ids: list[UUID]

    def open_workspace(self, *, atomic: bool = False) -> AbstractContextManager[Workspace]:
        storage = SqlStorage(self.engine)
        storage._new_change_id = self.new_id  # type: ignore[assignment]
        return storage.open_workspace(self.name, atomic=atomic)

    def new_id(self, now: datetime) -> UUID:
        self.ids.append(_new_id(now))
        return self.ids[-1]

    def add(self, workspace: Workspace) -> tuple[Task, Change]:
        """Add a task; return it and its change."""
        task = workspace.tasks.add(NewTask(title="Buy milk"))
        change = DescribeChange(lambda _: self.ids[-1], UNKNOWN_ORIGIN).creation(task, START)
        return task, change

    def open_session(self) -> AbstractContextManager[Session]:
        return autocommit_session(self.engine, self.name)

    def lose(self, *changes: Change) -> None:
        """Lose the response to a COMMIT of changes."""
        written = Written()
        written.add(changes)
        self.resolve(partial(written.is_committed, self.open_session))

    def lose_key(self, key: str) -> None:
        """Lose the response to a COMMIT of a key alone."""
        written = Written()
        written.keys.append(key)
        self.resolve(partial(written.is_committed, self.open_session))

    def resolve(self, is_committed: IsCommitted) -> None:
        """Lose the response to a COMMIT."""
        with self.open_workspace():
            lose(self.engine, is_committed)


def lose(engine: Engine, is_committed: IsCommitted | None) -> None:
    """Lose the response to a COMMIT."""
    with engine.connect() as connection, resolve_commit_outcome(connection, is_committed):
        raise ConnectionLost("lost", "unknown")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record pauses instead of pausing."""
    found: list[float] = []
    monkeypatch.setattr(commit_outcome, "sleep", found.append)
    return found


@pytest.fixture
def owner(role_engine: Engine) -> Owner:
    """An owner who has nothing yet, not even a number."""
    return Owner(role_engine, f"lost-commits-{next(_numbers)}", [])


def test_a_change_in_the_log_was_applied(owner: Owner, pauses: list[float]) -> None:
    """The block ends normally at the first look, whatever became of the task since."""
    with owner.open_workspace() as workspace:
        task, change = owner.add(workspace)
        owner.lose(change)
        workspace.tasks.change(task.id, Task.complete)
        owner.lose(change)
        workspace.tasks.remove(task.id)
        owner.lose(change)
    assert pauses == [commit_outcome.POLL_INTERVAL] * 3


def test_the_last_change_of_a_transaction_is_looked_for(owner: Owner) -> None:
    """All are committed, or none."""
    with owner.open_workspace() as workspace:
        task, change = owner.add(workspace)
    missing = DescribeChange(_new_id, UNKNOWN_ORIGIN).removal(task, START)
    owner.lose(missing, change)
    with pytest.raises(Unavailable) as caught:
        owner.lose(change, missing)
    assert caught.value.outcome == "not_applied"


def test_a_change_that_was_rolled_back_was_not_applied(owner: Owner) -> None:
    """Also if it was the owner's first one, and if its number is another change's now."""
    with suppress(ZeroDivisionError), owner.open_workspace(atomic=True) as workspace:
        _, change = owner.add(workspace)
        raise ZeroDivisionError
    with pytest.raises(Unavailable) as caught:
        owner.lose(change)
    assert caught.value.outcome == "not_applied"
    with owner.open_workspace() as workspace:
        owner.add(workspace)
    with pytest.raises(Unavailable) as caught:
        owner.lose(change)
    assert caught.value.outcome == "not_applied"


def test_a_lost_compare_and_swap_is_no_change(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the next attempt finds nothing to change, the transaction has written nothing."""
    made: list[Written] = []
    with owner.open_workspace() as workspace:
        task, _ = owner.add(workspace)

    def make() -> Written:
        made.append(Written())
        return made[-1]

    def overtaken(before: Task, now: datetime) -> Task:
        with owner.open_workspace() as other:
            other.tasks.change(task.id, Task.complete)
        return before.complete(now)

    monkeypatch.setattr(repository, "Written", make)
    with owner.open_workspace(atomic=True) as workspace:
        assert workspace.tasks.change(task.id, overtaken).completed
    assert not made[0].count


def test_without_a_change_a_key_is_looked_for(owner: Owner) -> None:
    """It was applied if it is stored. A transaction that wrote nothing has lost nothing."""
    owner.lose()
    with owner.open_workspace() as workspace:
        workspace.idempotency.begin("a key", b"fingerprint")
        owner.lose_key("a key")
    with suppress(ZeroDivisionError), owner.open_workspace(atomic=True) as workspace:
        workspace.idempotency.begin("another key", b"fingerprint")
        raise ZeroDivisionError
    with pytest.raises(Unavailable) as caught:
        owner.lose_key("another key")
    assert caught.value.outcome == "not_applied"


def test_a_key_in_progress_is_waited_for(owner: Owner, superuser_engine: Engine) -> None:
    """It may still be committed."""
    with ThreadPoolExecutor(1) as pool:
        with owner.open_workspace(atomic=True) as workspace:
            workspace.idempotency.begin("slow key", b"fingerprint")
            looked = pool.submit(owner.lose_key, "slow key")
            await_lock(superuser_engine)
        looked.result()


def test_without_a_way_to_look_the_outcome_stays_unknown(
    role_engine: Engine, pauses: list[float]
) -> None:
    """The error keeps the outcome that it had."""
    with pytest.raises(ConnectionLost) as caught:
        lose(role_engine, None)
    assert (caught.value.outcome, pauses) == ("unknown", [])


@pytest.mark.parametrize("begins", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_a_transaction_in_progress_is_waited_for(
    owner: Owner, superuser_engine: Engine, fails: bool, begins: bool
) -> None:
    """By the lock of the owner's number, also if it is the first; then the log tells."""
    if not begins:
        with owner.open_workspace() as workspace:
            owner.add(workspace)
    with ThreadPoolExecutor(1) as pool:
        with suppress(ZeroDivisionError), owner.open_workspace(atomic=True) as workspace:
            _, change = owner.add(workspace)
            resolving = pool.submit(owner.lose, change)
            await_lock(superuser_engine)
            if fails:
                raise ZeroDivisionError
        error = resolving.exception()
    assert getattr(error, "outcome", "applied") == ("not_applied" if fails else "applied")


def test_a_transaction_in_progress_is_unknown_after_the_timeout(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still be committed."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with owner.open_workspace(atomic=True) as workspace:
        _, change = owner.add(workspace)
        with pytest.raises(Unavailable) as caught:
            owner.lose(change)
    assert caught.value.outcome == "unknown"
    owner.lose(change)


def test_a_read_only_database_resolves_only_what_it_has(
    database: Database, monkeypatch: pytest.MonkeyPatch, owner: Owner
) -> None:
    """Such as a standby, which may lack the last commits: it takes no lock."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with owner.open_workspace() as workspace:
        task, change = owner.add(workspace)
    missing = DescribeChange(_new_id, UNKNOWN_ORIGIN).removal(task, START)
    setting = "options=-c%20default_transaction_read_only%3Don"
    standby = service_engine(f"{database.service}?{setting}")
    owner._replace(engine=standby).lose(change)
    with pytest.raises(Unavailable, match="lost") as caught:
        owner._replace(engine=standby).lose(missing)
    assert caught.value.outcome == "unknown"
    standby.dispose()


def test_resolving_needs_no_second_connection(
    database: Database, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost connection returns to the pool first."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with owner.open_workspace() as workspace:
        _, change = owner.add(workspace)
    engine = service_engine(database.service, pool_size=1, pool_timeout=0.1)
    owner._replace(engine=engine).lose(change)
    engine.dispose()
