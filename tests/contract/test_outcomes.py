"""The truth about a write whose COMMIT was not answered."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from sqlalchemy import Engine
from tests.homes import Home, served_engine
from tests.postgres import Databases
from tests.proxy import Wire, wired

from taskservice.adapters.sql import outcomes
from taskservice.adapters.sql.task_service import SqlTasks
from taskservice.core.errors import Unavailable
from taskservice.core.once import Attempt, OnceOnly
from taskservice.core.query import TaskQuery

OWNER = "lost-answers"
COMMIT = b"COMMIT\0"  # As a query of its own; "READ COMMITTED" is none.


class Fragile(NamedTuple):
    """A service behind a wire that may lose an answer."""

    engine: Engine
    wire: Wire

    def create(self, key: str) -> str:
        """Create a task with a key; return its title."""
        with SqlTasks(self.engine).open_tasks(OWNER, together=True) as tasks:
            return OnceOnly(tasks, Attempt(key, b"digest")).add(title=f"under {key}").title

    def titles(self) -> list[str]:
        with SqlTasks(self.engine).open_tasks(OWNER) as tasks:
            return [task.title for task in tasks.list(TaskQuery()).tasks]


@pytest.fixture
def fragile(home: Home) -> Iterator[Fragile]:
    with wired(home.service) as (wire, through):
        engine = served_engine(through, pool_size=1)
        yield Fragile(engine, wire)
        engine.dispose()


def test_a_commit_whose_answer_was_lost_is_found_out(fragile: Fragile) -> None:
    """The write succeeds as if it had been answered: the database knows the transaction."""
    fragile.create("before")
    fragile.wire.lose_answer_to = COMMIT
    assert fragile.create("lost") == "under lost"
    fragile.wire.lose_answer_to = None
    assert fragile.wire.lost == 1
    assert fragile.titles()[0] == "under lost"
    assert fragile.create("lost") == "under lost"
    assert fragile.titles().count("under lost") == 1


def test_a_transaction_that_died_before_its_commit_was_not_applied(
    fragile: Fragile, postgresql: Databases
) -> None:
    """The server had ended it: `not_applied`, and it is not."""
    opened = SqlTasks(fragile.engine).open_tasks(OWNER, together=True)
    with pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(title="never")
        postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
        )
    assert caught.value.outcome == "not_applied"
    assert "never" not in fragile.titles()


def test_what_nobody_can_tell_is_unknown(fragile: Fragile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database cannot be asked in time: `unknown`, after a bounded wait."""
    monkeypatch.setattr(outcomes, "PATIENCE", 0.2)
    fragile.create("first of all")
    fragile.wire.lose_answer_to = COMMIT
    opened = SqlTasks(fragile.engine).open_tasks(OWNER, together=True)
    with pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(title="who knows")
        fragile.wire.is_cut = True
    assert caught.value.outcome == "unknown"
