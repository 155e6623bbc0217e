"""The contract of the change log: each change has the next number, and nothing else has one."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest

from taskservice.core.changes import LogEntry, Position
from taskservice.core.entity import Edit
from taskservice.core.errors import EntityInUse, InvalidEntity, StaleEntity, TaskNotFound
from taskservice.core.lists import remove_list
from taskservice.core.preconditions import at_version
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import Completion, change_task, complete_task, remove_task
from taskservice.core.workspace import OpenWorkspace, Workspace
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import SECONDS, add, add_list, at_once, new_task
from taskservice.testing.contract.series import DAILY
from taskservice.testing.contract.sync_client import end_of_log, entries_since
from taskservice.testing.owners import ADA, BOB

WRITERS = 4
ROUNDS = 6

Write = Callable[[Workspace], object]


def numbers(start: Position, entries: Sequence[LogEntry]) -> list[tuple[int, str, UUID]]:
    """Return the number of each change behind a start, and the kind and id of its entity."""
    return [(one.position.sequence - start.sequence, one.kind, one.entity_id) for one in entries]


def numbered(open_workspace: OpenWorkspace, start: Position) -> list[tuple[int, str, UUID]]:
    """Return the changes behind a start; see `numbers`."""
    return numbers(start, entries_since(open_workspace, start))


def renamed(task: Task, now: datetime) -> Task:
    """A step that changes the title."""
    return task.edit(now, title=f"{task.title}!")


class Numbering(ContractBase):
    """The contract of the change log: each change has the next number."""

    @pytest.mark.parametrize("atomic", [False, True])
    def test_each_change_has_the_next_number(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """A creation, a change and a removal. The log has the entity as it is now."""
        start = end_of_log(open_workspace)
        with open_workspace(ADA, atomic=atomic) as workspace:
            first, second, third = (workspace.tasks.add(new_task()) for _ in range(3))
            changed = workspace.tasks.change(second.id, renamed)
            workspace.tasks.remove(third.id)
        entries = entries_since(open_workspace, start)
        touched = [first, second, third, second, third]
        assert numbers(start, entries) == [
            (number, "task", task.id) for number, task in enumerate(touched, 1)
        ]
        assert [one.entity for one in entries] == [first, changed, None, changed, None]

    def test_ids_of_entities_stay_in_order_of_creation(
        self, open_workspace: OpenWorkspace, clock: TickingClock
    ) -> None:
        """Within a millisecond too, whatever else is changed between, at a later time."""
        beginning = clock.now
        clock.now += timedelta(hours=1)
        later = add(open_workspace)
        clock.now, clock.step = beginning, timedelta(0)
        added = []
        with open_workspace(ADA) as workspace:
            for _ in range(20):
                added.append(workspace.tasks.add(new_task()).id)
                workspace.tasks.change(later.id, renamed)
        assert added == sorted(added)

    def test_lists_are_numbered_with_tasks(self, open_workspace: OpenWorkspace) -> None:
        """An owner has one sequence for all types of entities."""
        start = end_of_log(open_workspace)
        a_list = add_list(open_workspace)
        task = add(open_workspace, list_id=a_list.id)
        with open_workspace(ADA) as workspace:
            changed = workspace.lists.change(a_list.id, Edit({"name": "Food"}))
            workspace.tasks.remove(task.id)
            workspace.lists.remove(add_list(open_workspace).id)
        entries = entries_since(open_workspace, start)
        assert [(number, kind) for number, kind, _ in numbers(start, entries)] == [
            *((1, "list"), (2, "task"), (3, "list"), (4, "task"), (5, "list"), (6, "list"))
        ]
        assert [one.entity for one in entries] == [changed, None, changed, None, None, None]

    @pytest.mark.parametrize("atomic", [False, True])
    def test_an_equal_step_has_no_number(self, open_workspace: OpenWorkspace, atomic: bool) -> None:
        """What changes nothing is not in the log, also among many entities."""
        tasks = [add(open_workspace), add(open_workspace)]
        start = end_of_log(open_workspace)
        with open_workspace(ADA, atomic=atomic) as workspace:
            workspace.tasks.change(tasks[0].id, Edit({"title": tasks[0].title}))
            changed = workspace.tasks.change(tasks[0].id, Task.complete)
            workspace.tasks.change(tasks[0].id, Task.complete)
        assert numbered(open_workspace, start) == [(1, "task", tasks[0].id)]
        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.tasks.change_all([changed, tasks[1]], Task.complete)
        assert numbered(open_workspace, start) == [
            (number, "task", task.id) for number, task in enumerate(tasks, 1)
        ]

    def test_what_is_refused_has_no_number(self, open_workspace: OpenWorkspace) -> None:
        """A step or a precondition that raises, an invalid entity, and one in use."""
        a_list = add_list(open_workspace)
        task = add(open_workspace, list_id=a_list.id)
        start = end_of_log(open_workspace)
        is_stale = at_version([task.version + 1])
        refused: list[tuple[type[Exception], Write]] = [
            (InvalidEntity, lambda own: own.tasks.change(task.id, Edit({"title": " "}))),
            (InvalidEntity, lambda own: own.tasks.change(task.id, Edit({"list_id": uuid4()}))),
            (InvalidEntity, lambda own: own.tasks.add(new_task(list_id=uuid4()))),
            (InvalidEntity, lambda own: own.tasks.add(NewTask(title=" "))),
            (StaleEntity, lambda own: own.tasks.remove(task.id, is_stale)),
            (TaskNotFound, lambda own: own.tasks.remove(uuid4())),
            (TaskNotFound, lambda own: own.tasks.change(uuid4(), renamed)),
            (EntityInUse, lambda own: own.lists.remove(a_list.id)),
        ]
        for error, write in refused:
            with pytest.raises(error), open_workspace(ADA) as workspace:
                write(workspace)
        assert end_of_log(open_workspace) == start
        after = add(open_workspace)
        assert numbered(open_workspace, start) == [(1, "task", after.id)]

    def test_a_removal_that_is_refused_has_no_number_in_a_transaction(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The transaction goes on, and its next change has the number."""
        a_list = add_list(open_workspace)
        add(open_workspace, list_id=a_list.id)
        start = end_of_log(open_workspace)
        with open_workspace(ADA, atomic=True) as workspace:
            with pytest.raises(EntityInUse):
                workspace.lists.remove(a_list.id)
            after = workspace.tasks.add(new_task())
        assert numbered(open_workspace, start) == [(1, "task", after.id)]

    def test_a_change_that_is_tried_again_has_one_number(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Another change comes between its read and its write: each has one number."""
        task = add(open_workspace)
        start = end_of_log(open_workspace)

        def change() -> None:
            with open_workspace(ADA) as workspace:
                workspace.tasks.change(task.id, renamed)

        other = Thread(target=change)

        def step(task: Task, now: datetime) -> Task:
            if not other.ident:
                other.start()
                # If the storage is locked, the other thread waits for this one.
                other.join(timeout=0.5)
            return renamed(task, now)

        with open_workspace(ADA) as workspace:
            workspace.tasks.change(task.id, step)
        other.join(SECONDS)
        assert numbered(open_workspace, start) == [(1, "task", task.id), (2, "task", task.id)]

    def test_a_block_that_is_rolled_back_leaves_its_numbers(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The block reads its own changes. The next change has the number that is free again."""
        task = add(open_workspace)
        start = end_of_log(open_workspace)
        with pytest.raises(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
            added = workspace.tasks.add(new_task())
            workspace.tasks.change(task.id, renamed)
            within = workspace.changes.since(start, start, 10)
            assert numbers(start, within.entries) == [(1, "task", added.id), (2, "task", task.id)]
            assert within.end == within.entries[-1].position
            raise ZeroDivisionError
        assert end_of_log(open_workspace) == start
        after = add(open_workspace)
        assert numbered(open_workspace, start) == [(1, "task", after.id)]

    @pytest.mark.parametrize("atomic", [False, True])
    def test_a_number_that_is_used_again_is_another_position(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """Each change has a mark of its own."""
        start = end_of_log(open_workspace)
        taken_back: list[Position] = []
        with suppress(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
            workspace.tasks.add(new_task())
            taken_back += [one.position for one in workspace.changes.since(start, start, 9).entries]
            raise ZeroDivisionError
        with open_workspace(ADA, atomic=atomic) as workspace:
            workspace.tasks.add(new_task())
        (entry,) = entries_since(open_workspace, start)
        assert [entry.position.sequence] == [one.sequence for one in taken_back]
        assert [entry.position] != taken_back

    def test_each_of_many_entities_has_a_number(self, open_workspace: OpenWorkspace) -> None:
        """Those that are inserted, changed or removed at once, in their order."""
        tasks = [add(open_workspace) for _ in range(3)]
        start = end_of_log(open_workspace)
        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            new = Task.create(ADA, tasks[0].created_at, workspace.new_id, new_task())
            workspace.tasks.insert(new)
            workspace.tasks.change_all(tasks, renamed)
            changed = [workspace.tasks.get(task.id) for task in tasks]
            workspace.tasks.remove_all(changed[:2])
        assert numbered(open_workspace, start) == [
            (number, "task", one.id) for number, one in enumerate([new, *tasks, *tasks[:2]], 1)
        ]

    def test_an_operation_on_several_entities_numbers_each(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """A tree that moves, a list without its tasks, a task that recurs, and their like."""
        open_own = partial(open_workspace, ADA)
        a_list = add_list(open_workspace)
        root = add(open_workspace, list_id=a_list.id)
        below = add(open_workspace, root)
        other = add(open_workspace, list_id=a_list.id)
        with open_workspace(ADA) as workspace:
            daily = workspace.tasks.add(DAILY)
        start = end_of_log(open_workspace)
        change_task(open_own, root.id, Edit({"list_id": None}))
        remove_list(open_own, a_list.id, tasks="inbox")
        remove_task(open_own, root.id)
        closed = complete_task(open_own, daily.id, Completion(completed=True))
        complete_task(open_own, daily.id, Completion(completed=False))
        found = numbered(open_workspace, start)
        assert [number for number, _, _ in found] == [*range(1, 11)]
        ids = [entity_id for _, _, entity_id in found]
        successor = {daily.id, closed.next_id}
        assert [{*ids[n : n + 2]} for n in range(0, 10, 2)] == [
            *({root.id, below.id}, {other.id, a_list.id}, {root.id, below.id}),
            *(successor, successor),
        ]

    def test_a_clock_that_goes_back_changes_no_order(
        self, open_workspace: OpenWorkspace, clock: TickingClock
    ) -> None:
        """Numbers are in the order of commit, whatever the time is."""
        first = add(open_workspace)
        start = end_of_log(open_workspace)
        clock.now -= timedelta(hours=1)
        with open_workspace(ADA) as workspace:
            changed = workspace.tasks.change(first.id, renamed)
            second = workspace.tasks.add(new_task())
            workspace.tasks.remove(first.id)
        assert changed.updated_at > first.updated_at
        assert numbered(open_workspace, start) == [
            (number, "task", task.id) for number, task in enumerate([first, second, first], 1)
        ]

    def test_each_owner_has_a_sequence(self, open_workspace: OpenWorkspace) -> None:
        """Each has its own numbers, and the log of one has nothing of another's."""
        start = {owner: end_of_log(open_workspace, owner) for owner in (ADA, BOB)}
        ids: dict[str, list[UUID]] = {ADA: [], BOB: []}
        for owner in (ADA, BOB, BOB, ADA):
            with open_workspace(owner) as workspace:
                ids[owner].append(workspace.tasks.add(new_task()).id)
        for owner, begun in start.items():
            entries = entries_since(open_workspace, begun, owner=owner)
            assert numbers(begun, entries) == [
                (number, "task", task_id) for number, task_id in enumerate(ids[owner], 1)
            ]

    def test_a_reader_sees_each_committed_change_once(self, open_workspace: OpenWorkspace) -> None:
        """In order, while many write, and some blocks fail. Those of a block are together."""
        start = end_of_log(open_workspace)
        are_done = Event()

        def read() -> list[LogEntry]:
            read: list[LogEntry] = []
            for _ in count():
                is_last = are_done.is_set()
                position = read[-1].position if read else start
                entries = entries_since(open_workspace, position, limit=5)
                read += entries
                if is_last and not entries:
                    break
            return read

        def write_one(_: int) -> list[UUID]:
            with open_workspace(ADA) as workspace:
                return [workspace.tasks.add(new_task()).id]

        def write_block(number: int) -> list[UUID]:
            with suppress(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
                ids = [workspace.tasks.add(new_task()).id for _ in range(3)]
                if number % 2:
                    raise ZeroDivisionError
                return ids
            return []

        def write(one: Callable[[int], list[UUID]]) -> list[list[UUID]]:
            return [one(number) for number in range(ROUNDS)]

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(read)
            try:
                writers = [partial(write, one) for one in (write_one, write_block)]
                committed = [*chain.from_iterable(at_once(writers * (WRITERS // 2)))]
            finally:
                are_done.set()
            found = numbers(start, reader.result(SECONDS))
        assert [number for number, _, _ in found] == [*range(1, len(found) + 1)]
        place = {entity_id: number for number, _, entity_id in found}
        assert sorted(place) == sorted(chain.from_iterable(committed))
        for block in filter(None, committed):
            first = place[block[0]]
            assert [place[one] for one in block] == [*range(first, first + len(block))]
