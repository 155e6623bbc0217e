"""The last write of a transaction: what a look at it tells after a lost response to COMMIT."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from sqlalchemy import Engine

from taskservice.adapters.sql.connection.sessions import autocommit_session
from taskservice.adapters.sql.storage import repository
from taskservice.adapters.sql.storage.last_write import LastWrite
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.entity import Edit
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import Completion, complete_task
from taskservice.testing import ADA


def seen(engine: Engine, stored: Task, written: Task | None) -> bool | None:
    """Return whether a write of the task `stored`, or its removal, is seen."""
    last_write = LastWrite()
    last_write.record(mapping_of(Task), stored.id, written)
    with SqlStorage(engine).open_workspace(ADA), autocommit_session(engine, ADA) as session:
        return last_write.is_committed(session)


@pytest.fixture
def task(role_engine: Engine) -> Task:
    """A task at version 2."""
    with SqlStorage(role_engine).open_workspace(ADA) as workspace:
        added = workspace.tasks.add(NewTask(title="Buy milk"))
        return workspace.tasks.change(added.id, partial(Task.edit, title="Buy bread"))


def test_a_row_as_it_was_written_is_committed(role_engine: Engine, task: Task) -> None:
    """And so is one that is gone, if it was removed."""
    assert seen(role_engine, task, task) is True
    with SqlStorage(role_engine).open_workspace(ADA) as workspace:
        workspace.tasks.remove(task.id)
    assert seen(role_engine, task, None) is True


def test_an_older_or_another_row_is_not_committed(role_engine: Engine, task: Task) -> None:
    """Versions only grow, and another write has taken this one's."""
    assert seen(role_engine, task, replace(task, version=3)) is False
    assert seen(role_engine, task, replace(task, title="Buy rye")) is False
    assert seen(role_engine, task, None) is False


def test_a_later_write_hides_it(role_engine: Engine, task: Task) -> None:
    """A newer version, or no row: nobody knows."""
    assert seen(role_engine, task, replace(task, version=1)) is None
    with SqlStorage(role_engine).open_workspace(ADA) as workspace:
        workspace.tasks.remove(task.id)
    assert seen(role_engine, task, task) is None


def test_a_change_that_is_written_again_is_not_hidden(
    role_engine: Engine, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a closed task is if it is spread with its neighbors, to have room for its successor."""
    made: list[LastWrite] = []

    def make() -> LastWrite:
        made.append(LastWrite())
        return made[-1]

    monkeypatch.setattr(repository, "LastWrite", make)
    with SqlStorage(role_engine).open_workspace(ADA, atomic=True) as workspace:
        closed = workspace.tasks.change(task.id, Task.complete)
        workspace.tasks.change_all([closed], Edit({"title": "Buy rye"}))
    (last_write,) = made
    with (
        SqlStorage(role_engine).open_workspace(ADA),
        autocommit_session(role_engine, ADA) as session,
    ):
        assert last_write.is_committed(session) is True


def test_a_closing_is_remembered_rather_than_its_successor(
    role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a reopening rather than the removal: who changes the successor then hides neither."""
    recorded: list[Task | None] = []
    with SqlStorage(role_engine).open_workspace(ADA) as workspace:
        new = NewTask(title="Buy milk", due=date(2026, 3, 1), recurrence="FREQ=DAILY")
        task = workspace.tasks.add(new)
    monkeypatch.setattr(LastWrite, "record", lambda *given: recorded.append(given[-1]))
    open_own = partial(SqlStorage(role_engine).open_workspace, ADA)
    for completed in (True, False):
        changed = complete_task(open_own, task.id, Completion(completed))
        assert recorded.pop() == changed


def test_a_transaction_remembers_its_last_write(
    role_engine: Engine, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An addition, a change or a removal."""
    recorded: list[Task | None] = []
    monkeypatch.setattr(LastWrite, "record", lambda *given: recorded.append(given[-1]))
    with SqlStorage(role_engine).open_workspace(ADA, atomic=True) as workspace:
        added = workspace.tasks.add(NewTask(title="Buy rye"))
        done = workspace.tasks.change(added.id, Task.complete)
        workspace.tasks.remove(task.id)
    assert recorded == [added, done, None]
