"""Homes for tasks with a bug each, as they are written in good faith; the contract must notice.

Run by `test_broken.py`, in a process of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskservice.adapters.memory import InMemoryTasks, _OwnerData, _OwnerState, _OwnerTasks
from taskservice.core.clock import Clock
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.owner_data import VERSION_LIMIT, OpenOwnerData, OwnerCounts, OwnerData
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import OpenTasks, TaskService
from taskservice.core.task import Step, Task
from taskservice.testing import TickingClock
from taskservice.testing.contract import OwnerDataContract, TaskServiceContract


class NoOwnerClause(InMemoryTasks):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with super()._transaction("everybody") as state:
            yield state


class OwnersFolded(InMemoryTasks):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with super()._transaction(owner.casefold()) as state:
            yield state


class NotRolledBack(InMemoryTasks):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            yield self._owners.setdefault(owner, _OwnerState())


class NeverTogether(InMemoryTasks):
    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        with super().open_tasks(owner) as tasks:
            yield tasks


class AlwaysTogether(InMemoryTasks):
    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        with super().open_tasks(owner, atomic=True) as tasks:
            yield tasks


class RandomIds(InMemoryTasks):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, lambda at: uuid4())


class ChangesInTwoTransactions(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        changed = step(self.get(task_id), self._clock())
        with self._begin() as state:
            state.tasks[task_id] = changed
        return changed


class TouchesWhatIsUnchanged(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        def touch(task: Task, now: datetime) -> Task:
            return replace(step(task, now), version=task.version + 1)

        return super().change(task_id, touch)


class TakesTheClocksWord(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        return super().change(
            task_id, lambda task, now: replace(step(task, now), updated_at=self._clock())
        )


class TakesItOutToChangeIt(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        task = self.get(task_id)
        self.remove(task_id)
        changed = step(task, self._clock())
        with self._begin() as state:
            state.tasks[task_id] = changed
        return changed


class NoGuard(_OwnerTasks):
    def remove(self, task_id: UUID, guard: Precondition | None = None) -> None:
        super().remove(task_id)


class GuardsInAnotherTransaction(_OwnerTasks):
    def remove(self, task_id: UUID, guard: Precondition | None = None) -> None:
        if guard:
            guard(self.get(task_id))
        super().remove(task_id)


class Milliseconds(_OwnerTasks):
    def get(self, task_id: UUID) -> Task:
        task = super().get(task_id)
        at = task.created_at
        return replace(task, created_at=at.replace(microsecond=at.microsecond // 1000 * 1000))


class LocalTimes(_OwnerTasks):
    def get(self, task_id: UUID) -> Task:
        task = super().get(task_id)
        return replace(task, created_at=task.created_at.astimezone(timezone(timedelta(hours=1))))


class PagesSkipOne(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        page = super().list(replace(query, limit=query.limit + 1))
        return Page(tasks=page.tasks[: query.limit], next=page.next, total=page.total)


class PagesByOffset(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        (offset,) = query.after or (0,)
        found = super().list(replace(query, after=None, limit=1000)).tasks[offset:]
        more = len(found) > query.limit
        following = replace(query, after=(offset + query.limit,)) if more else None
        return Page(tasks=found[: query.limit], next=following)


class CountsThePage(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        page = super().list(query)
        return replace(page, total=len(page.tasks) if query.with_total else None)


class SearchesInLowerCase(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        sought = (query.text or "").lower()
        with self._begin() as state:
            found = [task for task in state.tasks.values() if sought in task.title.lower()]
        return replace(query, text=None).page(found)


class AfterIsExclusive(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        after = query.created_after
        later = after and after + timedelta(microseconds=1)
        return super().list(replace(query, created_after=later))


class ForgetsReceipts(_OwnerTasks):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.idempotency.begin = lambda key, fingerprint: None  # type: ignore[method-assign]
        self.idempotency.complete = lambda key, task: None  # type: ignore[method-assign]


class NeverSettles(_OwnerTasks):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.idempotency.complete = lambda key, task: None  # type: ignore[method-assign]


class ReceiptsApart:
    """Receipts outside the transaction, by a name that `name` makes of owner and key."""

    def __init__(self, kept: dict[str, IdempotencyRecord], name: Callable[[str], str]) -> None:
        self._kept = kept
        self._name = name

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        if known := self._kept.get(self._name(key)):
            return known
        self._kept[self._name(key)] = IdempotencyRecord(fingerprint=fingerprint, task=None)
        return None

    def complete(self, key: str, task: Task | None) -> None:
        self._kept[self._name(key)] = replace(self._kept[self._name(key)], task=task)


class ReceiptsOutsideTheTransaction(InMemoryTasks):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._kept: dict[str, IdempotencyRecord] = {}

    def _name(self, owner: str, key: str) -> str:
        return f"{owner} {key}"

    def _service(self, owner: str, begin: Any) -> TaskService:
        service: Any = super()._service(owner, begin)
        service.idempotency = ReceiptsApart(self._kept, lambda key: self._name(owner, key))
        tasks: TaskService = service
        return tasks


class ReceiptsOfEverybody(ReceiptsOutsideTheTransaction):
    def _name(self, owner: str, key: str) -> str:
        return key


class OverwritesOnImport(_OwnerData):
    def import_tasks(self, tasks: Sequence[Task]) -> list[Task]:
        with self._begin() as state:
            state.tasks.update({task.id: task for task in tasks if task.user_id == self._owner})
        return [task for task in tasks if task.user_id != self._owner]


class ImportsForeignTasks(_OwnerData):
    def import_tasks(self, tasks: Sequence[Task]) -> list[Task]:
        with self._begin() as state:
            state.tasks.update({task.id: task for task in tasks})
        return []


class VersionOverflows(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        task = super().change(task_id, step)
        if task.version > VERSION_LIMIT:
            raise OverflowError("integer out of range")
        return task


class KeepsIdempotencyRecordsOnErase(_OwnerData):
    def erase(self) -> OwnerCounts:
        with self._begin() as state:
            removed = OwnerCounts(len(state.tasks), len(state.records))
            state.tasks.clear()
            return removed


def home_of(part: type[Any], clock: Clock) -> InMemoryTasks:
    """Return a home that is `part`, or has its tasks or its archive from it."""
    if issubclass(part, InMemoryTasks):
        return part(clock)

    class Home(InMemoryTasks):
        def _service(self, owner: str, begin: Any) -> TaskService:
            made = part if issubclass(part, _OwnerTasks) else _OwnerTasks
            return made(owner, begin, self._clock, self._new_id)

        def open_owner_data(self, owner: str) -> OwnerData:
            made = part if issubclass(part, _OwnerData) else _OwnerData
            return made(owner, lambda: self._transaction(owner))

    return Home(clock)


NOTICED_BY: dict[type[Any], list[str]] = {
    NoOwnerClause: [
        "test_another_owners_task_is_as_absent_as_no_task",
        "test_another_owners_task_is_absent_together_too",
        "test_each_owner_lists_their_own",
    ],
    OwnersFolded: ["test_owners_are_compared_byte_for_byte"],
    NotRolledBack: [
        "test_together_drops_the_whole_block_on_an_exception",
        "test_what_did_not_succeed_is_not_remembered",
    ],
    NeverTogether: [
        "test_together_drops_the_whole_block_on_an_exception",
        "test_a_transaction_that_is_under_way_is_not_seen",
    ],
    AlwaysTogether: ["test_alone_each_door_is_kept_though_the_block_fails"],
    RandomIds: ["test_ids_are_uuids_of_the_moment_of_creation", "test_a_list_is_newest_first"],
    ChangesInTwoTransactions: [
        "test_a_change_in_between_is_seen",
        "test_a_removed_task_does_not_come_back",
    ],
    TouchesWhatIsUnchanged: [
        "test_a_step_that_changes_nothing_leaves_the_task",
        "test_a_hundred_completions_are_one_change",
    ],
    TakesTheClocksWord: ["test_time_of_a_task_moves_forward_though_the_clock_steps_back"],
    TakesItOutToChangeIt: ["test_a_step_that_raises_leaves_the_task"],
    NoGuard: ["test_a_guarded_removal_takes_the_version_that_was_meant"],
    GuardsInAnotherTransaction: ["test_a_guarded_removal_sees_a_change_in_between"],
    Milliseconds: ["test_a_task_is_read_as_it_was_stored", "test_any_year_is_kept"],
    LocalTimes: ["test_times_are_aware_and_in_utc"],
    PagesSkipOne: [
        "test_a_list_is_what_the_query_admits",
        "test_every_adapter_lists_what_the_query_says",
    ],
    PagesByOffset: [
        "test_pages_show_what_stood_throughout_exactly_once",
        "test_what_stood_throughout_is_shown_exactly_once",
    ],
    CountsThePage: ["test_only_a_counted_query_counts"],
    SearchesInLowerCase: ["test_the_search_folds_case_and_takes_wildcards_literally"],
    AfterIsExclusive: ["test_times_are_exact_to_the_microsecond"],
    ForgetsReceipts: [
        "test_a_repeated_creation_returns_the_first_task",
        "test_a_repeated_removal_is_no_error",
        "test_a_key_stands_for_one_request",
        "test_parallel_attempts_make_one_task",
    ],
    NeverSettles: ["test_a_repeated_change_is_not_done_again"],
    ReceiptsOutsideTheTransaction: ["test_what_did_not_succeed_is_not_remembered"],
    ReceiptsOfEverybody: ["test_keys_belong_to_their_owner"],
    OverwritesOnImport: ["test_an_import_does_not_overwrite_a_changed_task"],
    ImportsForeignTasks: ["test_another_owners_task_is_not_imported"],
    VersionOverflows: ["test_a_task_at_the_highest_version_can_be_changed"],
    KeepsIdempotencyRecordsOnErase: ["test_only_the_data_of_one_owner_is_erased"],
}
"""Each bug, and what must turn red for it, among others."""


@pytest.fixture(params=[InMemoryTasks, *NOTICED_BY], ids=lambda part: part.__name__)
def home(request: pytest.FixtureRequest, clock: TickingClock) -> InMemoryTasks:
    """A home as it should be, and with each bug."""
    return home_of(request.param, clock)


@pytest.fixture
def open_tasks(home: InMemoryTasks) -> OpenTasks:
    return home.open_tasks


@pytest.fixture
def open_owner_data(home: InMemoryTasks) -> OpenOwnerData:
    return home.open_owner_data


class TestPromises(TaskServiceContract):
    pass


class TestArchive(OwnerDataContract):
    pass
