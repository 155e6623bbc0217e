"""The statement audit: it finds statements that are not limited to their caller's rows."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pglast.parser import ParseError
from sqlalchemy import Engine
from tests.keyed import add_once
from tests.sql_grammar import UnfilteredStatement, owner_parameters
from tests.statement_audit import NO_OWNER, StatementAudit

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.core.batch import Batch, Command, References, run_batch
from taskservice.core.changes import Position
from taskservice.core.entity import Edit
from taskservice.core.errors import CommandFailed
from taskservice.core.history import history
from taskservice.core.label_rename import LabelRename, rename_label
from taskservice.core.lists import create_list, move_list, remove_list
from taskservice.core.moves import Move
from taskservice.core.summary import summarize
from taskservice.core.sync import SyncState, sync
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import (
    Completion,
    change_task,
    complete_task,
    create_task,
    move_task,
    remove_task,
)
from taskservice.core.trash import purge_all, purge_task, restore_task
from taskservice.core.undo import undo
from taskservice.core.workspace import OpenOwnWorkspace, Workspace
from taskservice.testing import ADA, tasks_of

BEGINNING = Position(0, 0)

TIED = {
    "SELECT title FROM tasks WHERE user_id = %(owner)s": {"owner"},
    "SELECT * FROM tasks t WHERE t.user_id = %(who)s::VARCHAR AND (t.id = ? OR t.completed)": {
        "who"
    },
    "UPDATE tasks SET title = ? WHERE tasks.user_id = ? AND id = ?": {1},
    "DELETE FROM idempotency_keys WHERE user_id = %(a)s AND key LIKE '%%x'": {"a"},
    "INSERT INTO tasks (id, user_id) VALUES (%(id)s, %(user_id)s)": {"user_id"},
    "INSERT INTO tasks (id, user_id) SELECT :id, :user_id": {"user_id"},
    "SELECT * FROM (SELECT set_config('taskservice.owner', %(who)s, true) AS owner) AS s JOIN"
    " LATERAL (SELECT * FROM tasks WHERE user_id = %(a)s AND s.owner = %(a)s) AS f ON true": {
        "who",
        "a",
    },
    "SELECT * FROM tasks a, tasks b WHERE a.user_id = %(x)s AND b.user_id = %(y)s": {"x", "y"},
    "WITH RECURSIVE tree AS (SELECT id FROM tasks WHERE user_id = %(a)s AND parent_id = %(id)s"
    " UNION ALL SELECT t.id FROM tasks t, tree WHERE t.user_id = %(b)s AND t.parent_id = tree.id)"
    " SELECT title FROM tasks, tree WHERE tasks.user_id = %(c)s AND tasks.id = tree.id": {
        "a",
        "b",
        "c",
    },
    "WITH held AS (SELECT seq FROM heads WHERE user_id = %(a)s FOR UPDATE), done AS (DELETE FROM"
    " tasks WHERE user_id = %(b)s AND (SELECT seq FROM held) IS NOT NULL RETURNING id), head AS"
    " (INSERT INTO heads (user_id, seq) SELECT %(c)s::VARCHAR, 1 ON CONFLICT (user_id) DO UPDATE"
    " SET seq = heads.seq + 1 RETURNING heads.seq) INSERT INTO changes (user_id, seq, entity_id)"
    " SELECT %(d)s::VARCHAR, head.seq, done.id FROM head, done": {"a", "b", "c", "d"},
    "SELECT name FROM (SELECT 1 AS one) AS o LEFT JOIN lists AS l ON l.user_id = %(a)s AND l.id = ?"
    " JOIN tasks ON tasks.user_id = %(b)s": {"a", "b"},
    "WITH held AS (SELECT seq FROM heads WHERE user_id = %(a)s), done AS (DELETE FROM trash WHERE"
    " trash.user_id = %(b)s AND (SELECT seq FROM held) > 0 RETURNING trash.id), moved AS"
    " (INSERT INTO tasks (id, user_id) SELECT done.id, %(c)s::VARCHAR FROM done)"
    " SELECT id FROM done": {"a", "b", "c"},
    "SELECT version_num FROM taskservice_schema_version": set(),
    "SELECT set_config('taskservice.owner', %s, True), set_config('lock_timeout', %s, True)": {0},
    "COMMIT": set(),
}
UNTIED = [
    "SELECT * FROM tasks",
    "SELECT * FROM trash",
    "SELECT * FROM trash_07 WHERE id = %(id)s",
    "WITH done AS (DELETE FROM trash WHERE id = %(id)s RETURNING id, user_id)"
    " INSERT INTO tasks (id, user_id) SELECT id, user_id FROM done",
    "SELECT * FROM tasks WHERE id = %(id)s",
    "SELECT * FROM tasks WHERE user_id = 'ada'",
    "SELECT * FROM tasks WHERE user_id = user_id",
    "SELECT * FROM tasks WHERE user_id <> %(owner)s",
    "SELECT * FROM tasks WHERE user_id = %(owner)s OR id = %(id)s",
    "SELECT * FROM tasks WHERE NOT (user_id = %(owner)s)",
    "SELECT * FROM tasks WHERE user_id IN (%(owner)s, 'bob')",
    "SELECT * FROM tasks WHERE lower(user_id) = %(owner)s",
    "SELECT * FROM tasks a, tasks b WHERE a.user_id = %(owner)s",
    "SELECT * FROM tasks, idempotency_keys WHERE user_id = %(owner)s",
    "SELECT * FROM tasks t JOIN idempotency_keys i ON i.user_id = t.user_id"
    " WHERE t.user_id = %(owner)s",
    "SELECT * FROM tasks t LEFT JOIN lists l ON t.user_id = %(owner)s AND l.user_id = t.user_id",
    "SELECT * FROM lists l LEFT JOIN tasks t ON t.user_id = %(owner)s",
    "SELECT * FROM (SELECT 1) o RIGHT JOIN tasks t ON t.user_id = %(owner)s",
    "SELECT * FROM (SELECT 1) o LEFT JOIN tasks t ON t.user_id = %(owner)s OR t.completed",
    "SELECT * FROM tasks WHERE user_id = %(owner)s UNION SELECT * FROM tasks",
    "SELECT (SELECT count(*) FROM tasks), 1",
    "SELECT 1 WHERE EXISTS (SELECT FROM tasks)",
    "WITH t AS (SELECT * FROM tasks) SELECT * FROM t WHERE user_id = %(owner)s",
    "WITH RECURSIVE tree AS (SELECT id FROM tasks WHERE user_id = %(a)s AND parent_id = %(id)s"
    " UNION ALL SELECT t.id FROM tasks t, tree WHERE t.parent_id = tree.id)"
    " SELECT title FROM tasks, tree WHERE tasks.user_id = %(a)s AND tasks.id = tree.id",
    "SELECT name FROM lists, tasks WHERE lists.id = tasks.list_id AND tasks.user_id = %(a)s",
    "DELETE FROM lists WHERE id = %(id)s",
    "UPDATE tasks SET title = 'x'",
    "UPDATE tasks SET user_id = %(other)s WHERE user_id = %(owner)s",
    "DELETE FROM tasks USING idempotency_keys WHERE tasks.user_id = %(owner)s",
    "INSERT INTO tasks SELECT * FROM tasks WHERE user_id = %(owner)s",
    "INSERT INTO tasks (id, user_id) SELECT id, %(owner)s FROM tasks",
    "INSERT INTO idempotency_keys (user_id) VALUES (%(owner)s)"
    " ON CONFLICT (key) DO UPDATE SET key = 'x'",
    "INSERT INTO tasks (id, user_id) VALUES (%(id)s, 'bob')",
    "INSERT INTO tasks (id) VALUES (%(id)s)",
    "INSERT INTO tasks VALUES (%(id)s, %(user_id)s)",
    "INSERT INTO tasks (id, user_id) SELECT :id, 'bob'",
    "SELECT * FROM (SELECT set_config('taskservice.owner', :a, true) AS owner) AS s"
    " JOIN LATERAL (SELECT * FROM tasks WHERE user_id = s.owner) AS found ON true",
    "SELECT set_config('taskservice.owner', 'bob', true)",
    "SELECT set_config('taskservice.owner', :who, false)",
    "INSERT INTO heads (user_id, seq) VALUES (%(owner)s, 1)"
    " ON CONFLICT (seq) DO UPDATE SET seq = heads.seq + 1",
    "INSERT INTO heads (user_id, seq) VALUES (%(owner)s, 1)"
    " ON CONFLICT (user_id) DO UPDATE SET user_id = %(other)s",
    "SELECT seq FROM heads FOR UPDATE",
    "SELECT t.title FROM changes c, LATERAL (SELECT title FROM tasks WHERE id = c.entity_id) t"
    " WHERE c.user_id = %(owner)s",
    "UPDATE changes SET previous = NULL WHERE entity_id = %(id)s",
    "WITH head AS (UPDATE heads SET seq = seq + 1 RETURNING seq) INSERT INTO changes (user_id, seq)"
    " SELECT %(owner)s, head.seq FROM head",
    "SELECT previous FROM changes_07",
    "SELECT title FROM tasks_07",
    "SELECT name FROM lists_07",
    "INSERT INTO idempotency_keys_00 (key) VALUES (%(key)s)",
    "TRUNCATE tasks",
    "LOCK TABLE tasks",
]


@pytest.mark.parametrize("statement", TIED)
def test_the_owner_parameters_of_a_statement_are_found(statement: str) -> None:
    """With any style of placeholders."""
    assert owner_parameters(statement) == TIED[statement]


@pytest.mark.parametrize("statement", UNTIED)
def test_a_statement_without_an_owner_condition_is_found(statement: str) -> None:
    """At every level of a query."""
    with pytest.raises(UnfilteredStatement):
        owner_parameters(statement)


def test_a_statement_that_cannot_be_parsed_fails_the_audit() -> None:
    """PostgreSQL's grammar does not accept it."""
    with pytest.raises(ParseError):
        owner_parameters("SELEKT * FROM tasks")


def test_a_statement_of_another_owner_is_found() -> None:
    """Its owner parameter is not the caller."""
    audit = StatementAudit()
    audit.look("SELECT * FROM tasks WHERE user_id = %(owner)s", {"owner": "bob"})
    assert len(audit.faults) == 1


def test_a_row_of_another_owner_is_found() -> None:
    """Among rows that are sent together."""
    audit = StatementAudit()
    rows = [{"user_id": owner} for owner in (NO_OWNER, "bob", NO_OWNER)]
    audit.look("INSERT INTO tasks (id, user_id) VALUES (%(id)s, %(user_id)s)", rows)
    assert len(audit.faults) == 1


@pytest.mark.parametrize("raw", ["engine", "sqlite"])
def test_statements_that_bypass_sqlalchemy_are_audited(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, audit: StatementAudit, raw: str
) -> None:
    """A statement sent through the driver itself fails the audit, on either engine."""

    def past(rows: "Rows[Task]", _: UUID) -> Task:
        driver = rows.session.connection.connection.driver_connection
        assert driver is not None
        return Task(**driver.execute("SELECT title FROM tasks").fetchone())

    monkeypatch.setattr(Rows, "find", past)
    open_tasks = tasks_of(SqlStorage(request.getfixturevalue(raw)).open_workspace)
    with open_tasks(ADA) as tasks, pytest.raises(TypeError):
        tasks.get(UUID(int=0))
    assert audit.faults == ["sent past the audit: SELECT title FROM tasks"]
    audit.faults.clear()


def test_the_audit_covers_every_operation(engine: Engine, audit: StatementAudit) -> None:
    """Statements of each operation pass, with and without an idempotency key."""
    before = audit.count
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        for operation in (
            partial(tasks.get, task.id),
            partial(tasks.list, TaskQuery(with_total=True, text="milk")),
            partial(tasks.change, task.id, Task.complete),
            partial(tasks.remove, task.id),
        ):
            seen = audit.count
            operation()
            assert audit.count > seen
    with SqlStorage(engine).open_workspace(ADA, atomic=True) as workspace:
        add_once(workspace, NewTask(title="Buy bread"))
    assert audit.count - before == 13, "each is one statement, also a change with its number"
    assert not audit.faults


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
def test_the_audit_covers_lists_moves_and_trees(
    request: pytest.FixtureRequest, audit: StatementAudit, storage: str
) -> None:
    """Operations on several entities in one transaction, statements for many rows among them."""
    own = partial(SqlStorage(request.getfixturevalue(storage)).open_workspace, ADA)
    groceries = create_list(own, NewTaskList(name="Groceries"))
    root, other = (create_task(own, NewTask(title=title)) for title in "AB")
    below = create_task(own, NewTask(title="C", parent_id=root.id))
    create_task(own, NewTask(title="D", parent_id=below.id))
    for operation in (
        partial(move_list, own, groceries.id, Move(place="last")),
        partial(move_task, own, root.id, Move(after=other.id)),
        partial(change_task, own, root.id, Edit({"list_id": groceries.id})),
        partial(remove_task, own, below.id),
        partial(remove_list, own, groceries.id, tasks="inbox"),
        partial(remove_task, own, root.id, with_subtasks=True),
    ):
        seen = audit.count
        operation()
        assert audit.count > seen
    assert not audit.faults


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
def test_the_audit_covers_sync(
    request: pytest.FixtureRequest, audit: StatementAudit, storage: str
) -> None:
    """Pages of lists, of tasks and of changes, a removal among them."""
    own = partial(SqlStorage(request.getfixturevalue(storage)).open_workspace, ADA)
    create_list(own, NewTaskList(name="Errands"))
    gone, _ = (create_task(own, NewTask(title=title)) for title in "AB")
    remove_task(own, gone.id)
    with own() as workspace:
        seen, log = audit.count, workspace.changes
        lists = sync(log, None, 1)
        tasks = sync(log, lists.next, 1)
        delta = sync(log, SyncState(BEGINNING, BEGINNING), 9)
    assert [len(page.entries) for page in (lists, tasks, delta)] == [1, 1, 3]
    assert audit.count - seen == 3, "each page is one statement"
    assert not audit.faults


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
def test_the_audit_covers_the_trash_and_the_history(
    request: pytest.FixtureRequest, audit: StatementAudit, storage: str
) -> None:
    """Deletions, restorations, purges, undos and the summary, of one task and of trees."""
    own = partial(SqlStorage(request.getfixturevalue(storage)).open_workspace, ADA)
    root, other = (create_task(own, NewTask(title=title)) for title in "AB")
    create_task(own, NewTask(title="C", parent_id=root.id))
    with own() as workspace:
        (creation,) = workspace.changes.of_entity(other.id, None, 9)
    for operation in (
        partial(remove_task, own, root.id, with_subtasks=True),
        partial(restore_task, own, root.id),
        partial(undo, own, other.id, creation.sequence),
        partial(purge_task, own, other.id),
        partial(in_workspace, own, partial(history, task_id=root.id, before=None, limit=9)),
        partial(in_workspace, own, summarize),
        partial(remove_task, own, root.id, with_subtasks=True),
        partial(purge_all, own),
    ):
        seen = audit.count
        operation()
        assert audit.count > seen
    assert not audit.faults


def in_workspace(own: OpenOwnWorkspace, operation: Callable[[Workspace], object]) -> None:
    """Run an operation that reads."""
    with own() as workspace:
        operation(workspace)


def command(operation: Callable[..., Task | None], *values: Any, ref: str | None = None) -> Command:
    """Return a command that calls an operation with values, a text among them for its reference."""

    def run(own: OpenOwnWorkspace, references: References) -> Task | None:
        return operation(own, *(references[one] if isinstance(one, str) else one for one in values))

    return Command(run, ref)


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
@pytest.mark.parametrize("is_atomic", [True, False])
def test_the_audit_covers_batches(
    request: pytest.FixtureRequest, audit: StatementAudit, storage: str, *, is_atomic: bool
) -> None:
    """Every operation, rows that are sent together, savepoints, and what is rolled back."""
    own = partial(SqlStorage(request.getfixturevalue(storage)).open_workspace, ADA)
    groceries = create_list(own, NewTaskList(name="Errands"))
    known, gone = (create_task(own, NewTask(title=title)) for title in "AB")
    remove_task(own, gone.id)
    commands = [
        *(command(create_task, NewTask(title=f"C{n}")) for n in range(3)),
        command(create_task, NewTask(title="D", list_id=groceries.id), ref="d"),
        command(change_task, "d", Edit({"title": "E"})),
        command(create_task, NewTask(title="F"), ref="f"),
        command(complete_task, "f", Completion(completed=True)),
        command(restore_task, gone.id),
        command(remove_task, known.id),
        command(create_task, NewTask(title="G")),
    ]
    fails = command(remove_task, known.id)
    for batch in (
        Batch(commands, is_atomic, dry_run=True),
        Batch([*commands, fails, *commands[:3]], is_atomic),
        Batch(commands[:6], is_atomic),
    ):
        seen = audit.count
        with suppress(CommandFailed):
            run_batch(own, batch)
        assert audit.count > seen
    assert not audit.faults


def test_rows_that_are_sent_together_are_one_statement(
    engine: Engine, audit: StatementAudit
) -> None:
    """So the audit looks at each of its rows."""
    own = partial(SqlStorage(engine).open_workspace, ADA)
    creations = [command(create_task, NewTask(title=title)) for title in "ABC"]
    run_batch(own, Batch(creations))
    counts = [audit.count]
    for some in (creations, creations * 9):
        run_batch(own, Batch(some))
        counts.append(audit.count)
    assert counts[1] - counts[0] == counts[2] - counts[1]


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
def test_the_audit_covers_steps(
    request: pytest.FixtureRequest, audit: StatementAudit, storage: str
) -> None:
    """A label that is renamed, and a list that is deleted, in several transactions."""
    own = partial(SqlStorage(request.getfixturevalue(storage)).open_workspace, ADA)
    for tasks in ("inbox", "delete"):
        a_list = create_list(own, NewTaskList(name="Errands"))
        for title in "ABC":
            create_task(own, NewTask(title=title, list_id=a_list.id, labels=("home",)))
        for operation in (
            partial(remove_list, own, a_list.id, tasks=tasks, limit=2),
            partial(rename_label, own, LabelRename("home", "house", 2)),
            partial(remove_list, own, a_list.id, tasks=tasks, limit=2),
            partial(rename_label, own, LabelRename("home", "house")),
        ):
            seen = audit.count
            operation()
            assert audit.count > seen + 1, "a transaction locks, and reads or writes tasks"
    assert not audit.faults


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
def test_the_audit_covers_series(
    request: pytest.FixtureRequest, audit: StatementAudit, storage: str
) -> None:
    """What closing, skipping and undoing read, insert and delete beside the task itself."""
    own = partial(SqlStorage(request.getfixturevalue(storage)).open_workspace, ADA)
    task = create_task(own, NewTask(title="Buy milk", due=date(2026, 3, 29)))
    series = TaskQuery(series_id=task.id)
    for edit, found in (
        (Edit({"recurrence": "FREQ=DAILY"}), 1),
        (Edit({"completed": True}), 2),
        (Edit({"completed": False}), 1),
        (Edit({"status": "cancelled"}), 2),
    ):
        seen = audit.count
        change_task(own, task.id, edit)
        assert audit.count > seen + 2, "a transaction begins, and locks or looks at other tasks"
        with own() as workspace:
            assert len(workspace.tasks.list(series).items) == found
    assert not audit.faults
