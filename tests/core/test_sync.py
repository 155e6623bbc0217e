"""Delta sync as a pure function over the port: its pages, and the states between them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from taskservice.core.changes import EntityPage, LogEntry, LogPage, NumberedChange, Position
from taskservice.core.entity import Entity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sync import FIRST, SyncPage, SyncState, sync
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.testing import ADA, START

NEW_ID = TimeOrderedIds()
LISTS = [TaskList.create(ADA, START, NEW_ID, NewTaskList(name=f"{n}")) for n in range(3)]
TASKS = [Task.create(ADA, START, NEW_ID, NewTask(title=f"{n}")) for n in range(3)]
ENTITIES: dict[type[Entity], Sequence[Any]] = {TaskList: LISTS, Task: TASKS}


def at(sequence: int) -> Position:
    """Return the position of a change."""
    return Position(sequence, 100 + sequence)


class ScriptedLog:
    """A log that has what a test says, and notes what it was asked."""

    def __init__(self, entries: Sequence[LogEntry] = (), end: int = 9) -> None:
        self.entries = entries
        self.end = at(end)
        self.asked: list[Any] = []

    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        self.asked.append((position, seen, limit))
        behind = [one for one in self.entries if one.position > position]
        return LogPage(behind[:limit], self.end)

    def entities(
        self, entity_type: type[Entity], after: UUID, seen: Position | None, limit: int
    ) -> EntityPage:
        self.asked.append((entity_type, after, seen, limit))
        found = [one for one in ENTITIES[entity_type] if one.id > after]
        return EntityPage(found[:limit], self.end)

    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        raise NotImplementedError


def change(sequence: int, task: Task, entity: Task | None) -> LogEntry:
    """Return an entry of the log."""
    return LogEntry(at(sequence), "task", task.id, entity)


def shown(page: SyncPage) -> list[tuple[str, UUID, Entity | None]]:
    """Return the entries of a page."""
    return [(one.kind, one.id, one.entity) for one in page.entries]


def test_a_first_sync_lists_each_type_and_then_asks_for_changes_since_it_began() -> None:
    """Each state goes on behind the last entity, with the newest change that was there."""
    log = ScriptedLog(end=4)
    state: SyncState | None = None
    pages: list[SyncPage] = []
    for end in (4, 5, 6, 7):
        log.end = at(end)
        pages.append(sync(log, state, 2))
        state = pages[-1].next
    assert [[one.entity for one in page.entries] for page in pages] == [
        *(LISTS[:2], LISTS[2:], TASKS[:2], TASKS[2:])
    ]
    assert [one.kind for one in pages[0].entries + pages[2].entries] == ["list"] * 2 + ["task"] * 2  # type: ignore[operator]
    assert {(page.full, page.more) for page in pages} == {(True, True)}
    assert [page.next for page in pages] == [
        SyncState(at(4), at(4), TaskList, LISTS[1].id),
        SyncState(at(4), at(5), Task, FIRST),
        SyncState(at(4), at(6), Task, TASKS[1].id),
        SyncState(at(4), at(7)),
    ]
    assert log.asked == [
        (TaskList, FIRST, None, 3),
        (TaskList, LISTS[1].id, at(4), 3),
        (Task, FIRST, at(5), 3),
        (Task, TASKS[1].id, at(6), 3),
    ]


def test_a_full_page_that_is_the_last_one_has_no_empty_page_behind_it() -> None:
    """A page with exactly as many entities as the limit leads to the next type."""
    page = sync(ScriptedLog(), None, 3)
    assert [one.entity for one in page.entries] == LISTS
    assert page.next == SyncState(at(9), at(9), Task)


def test_a_page_that_is_cut_has_a_second_position() -> None:
    """Its entities may be as late as the newest change."""
    log = ScriptedLog([change(n, TASKS[n - 1], TASKS[n - 1]) for n in (1, 2, 3)], end=3)
    page = sync(log, SyncState(Position(0, 0), Position(0, 0)), 2)
    assert shown(page) == [("task", task.id, task) for task in TASKS[:2]]
    assert (page.more, page.full, page.next) == (True, False, SyncState(at(2), at(3)))
    last = sync(log, page.next, 2)
    assert shown(last) == [("task", TASKS[2].id, TASKS[2])]
    assert (last.more, last.full, last.next) == (False, False, SyncState(at(3), at(3)))
    assert log.asked == [(Position(0, 0), Position(0, 0), 2), (at(2), at(3), 2)]


def test_without_changes_the_state_stays_the_same() -> None:
    """There is no more."""
    state = SyncState(at(9), at(9))
    assert sync(ScriptedLog(), state, 2) == SyncPage([], state, more=False, full=False)


def test_an_entity_is_once_on_a_page() -> None:
    """In the order of its last change. One that is gone has no entity."""
    first, second, _ = TASKS
    entries = [change(1, first, first), change(2, second, None), change(3, first, first)]
    page = sync(ScriptedLog(entries, end=3), SyncState(Position(0, 0), Position(0, 0)), 5)
    assert shown(page) == [("task", second.id, None), ("task", first.id, first)]


def test_types_have_ids_of_their_own() -> None:
    """A list and a task with the same id are two entries."""
    task = TASKS[0]
    entries = [change(1, task, task), LogEntry(at(2), "list", task.id, None)]
    page = sync(ScriptedLog(entries, end=2), SyncState(Position(0, 0), Position(0, 0)), 5)
    assert shown(page) == [("task", task.id, task), ("list", task.id, None)]
