"""Storage adapters with one plausible bug each; the contract must find it.

`test_broken.py` runs this module in another process.
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
        with super()._transaction("all") as state:
            yield state


class OwnersCaseInsensitive(InMemoryTasks):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with super()._transaction(owner.casefold()) as state:
            yield state


class NoRollback(InMemoryTasks):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            yield self._owners.setdefault(owner, _OwnerState())


class NeverAtomic(InMemoryTasks):
    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        with super().open_tasks(owner) as tasks:
            yield tasks


class AlwaysAtomic(InMemoryTasks):
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


class IncrementsUnchangedVersion(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        def touch(task: Task, now: datetime) -> Task:
            return replace(step(task, now), version=task.version + 1)

        return super().change(task_id, touch)


class UpdatedAtGoesBack(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        return super().change(
            task_id, lambda task, now: replace(step(task, now), updated_at=self._clock())
        )


class RemovesToChange(_OwnerTasks):
    def change(self, task_id: UUID, step: Step) -> Task:
        task = self.get(task_id)
        self.remove(task_id)
        changed = step(task, self._clock())
        with self._begin() as state:
            state.tasks[task_id] = changed
        return changed


class NoPrecondition(_OwnerTasks):
    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        super().remove(task_id)


class PreconditionInAnotherTransaction(_OwnerTasks):
    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        if precondition:
            precondition(self.get(task_id))
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


class PagesSkipATask(_OwnerTasks):
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


class TotalOfThePage(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        page = super().list(query)
        return replace(page, total=len(page.tasks) if query.with_total else None)


class SearchesLowerCase(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        searched = (query.text or "").lower()
        with self._begin() as state:
            found = [task for task in state.tasks.values() if searched in task.title.lower()]
        return replace(query, text=None).page(found)


class AfterIsExclusive(_OwnerTasks):
    def list(self, query: TaskQuery) -> Page:
        after = query.created_after
        later = after and after + timedelta(microseconds=1)
        return super().list(replace(query, created_after=later))


class StoresNoRecords(_OwnerTasks):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.idempotency.begin = lambda key, fingerprint: None  # type: ignore[method-assign]
        self.idempotency.complete = lambda key, task: None  # type: ignore[method-assign]


class NeverCompletes(_OwnerTasks):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.idempotency.complete = lambda key, task: None  # type: ignore[method-assign]


class NonTransactionalStore:
    """Idempotency records outside the transaction, stored under `name(key)`."""

    def __init__(self, records: dict[str, IdempotencyRecord], name: Callable[[str], str]) -> None:
        self._records = records
        self._name = name

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        if record := self._records.get(self._name(key)):
            return record
        self._records[self._name(key)] = IdempotencyRecord(fingerprint=fingerprint, task=None)
        return None

    def complete(self, key: str, task: Task | None) -> None:
        self._records[self._name(key)] = replace(self._records[self._name(key)], task=task)


class RecordsOutsideTheTransaction(InMemoryTasks):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._records: dict[str, IdempotencyRecord] = {}

    def _name(self, owner: str, key: str) -> str:
        return f"{owner} {key}"

    def _service(self, owner: str, begin: Any) -> TaskService:
        service: Any = super()._service(owner, begin)
        service.idempotency = NonTransactionalStore(
            self._records, lambda key: self._name(owner, key)
        )
        tasks: TaskService = service
        return tasks


class RecordsSharedByOwners(RecordsOutsideTheTransaction):
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


def adapter_with(bug: type[Any], clock: Clock) -> InMemoryTasks:
    """Return the adapter `bug`, or one whose tasks or owner data are of that class."""
    if issubclass(bug, InMemoryTasks):
        return bug(clock)

    class BrokenAdapter(InMemoryTasks):
        def _service(self, owner: str, begin: Any) -> TaskService:
            service = bug if issubclass(bug, _OwnerTasks) else _OwnerTasks
            return service(owner, begin, self._clock, self._new_id)

        def open_owner_data(self, owner: str) -> OwnerData:
            service = bug if issubclass(bug, _OwnerData) else _OwnerData
            return service(owner, lambda: self._transaction(owner))

    return BrokenAdapter(clock)


FOUND_BY: dict[type[Any], list[str]] = {
    NoOwnerClause: [
        "test_another_owners_task_is_not_found",
        "test_another_owners_task_is_not_found_in_a_transaction",
        "test_each_owner_lists_their_own",
    ],
    OwnersCaseInsensitive: ["test_owners_are_compared_byte_for_byte"],
    NoRollback: [
        "test_atomic_rolls_back_the_whole_block_on_an_exception",
        "test_a_failed_request_stores_no_record",
    ],
    NeverAtomic: [
        "test_atomic_rolls_back_the_whole_block_on_an_exception",
        "test_no_dirty_read_of_an_open_transaction",
    ],
    AlwaysAtomic: ["test_without_atomic_each_method_is_committed"],
    RandomIds: ["test_ids_are_uuids_with_the_time_of_creation", "test_a_list_is_newest_first"],
    ChangesInTwoTransactions: [
        "test_a_concurrent_change_is_not_overwritten",
        "test_a_removed_task_does_not_come_back",
    ],
    IncrementsUnchangedVersion: [
        "test_a_step_without_effect_changes_nothing",
        "test_a_hundred_completions_are_one_change",
    ],
    UpdatedAtGoesBack: ["test_updated_at_increases_if_the_clock_goes_back"],
    RemovesToChange: ["test_a_step_that_raises_changes_nothing"],
    NoPrecondition: ["test_a_removal_checks_its_precondition"],
    PreconditionInAnotherTransaction: ["test_a_removal_checks_its_precondition_atomically"],
    Milliseconds: ["test_a_task_is_read_as_it_was_stored", "test_any_year_is_stored"],
    LocalTimes: ["test_times_are_aware_and_in_utc"],
    PagesSkipATask: [
        "test_a_list_is_what_the_query_admits",
        "test_a_query_lists_what_it_specifies",
    ],
    PagesByOffset: ["test_pagination_is_stable", "test_pagination_is_stable_in_every_sort_order"],
    TotalOfThePage: ["test_only_a_query_with_total_has_a_total"],
    SearchesLowerCase: ["test_the_search_folds_case_and_takes_wildcards_literally"],
    AfterIsExclusive: ["test_times_are_exact_to_the_microsecond"],
    StoresNoRecords: [
        "test_a_repeated_creation_returns_the_first_task",
        "test_a_repeated_removal_succeeds",
        "test_a_key_belongs_to_one_request",
        "test_parallel_retries_create_one_task",
    ],
    NeverCompletes: ["test_a_repeated_change_is_applied_once"],
    RecordsOutsideTheTransaction: ["test_a_failed_request_stores_no_record"],
    RecordsSharedByOwners: ["test_keys_are_separate_for_each_owner"],
    OverwritesOnImport: ["test_an_import_does_not_overwrite_a_changed_task"],
    ImportsForeignTasks: ["test_another_owners_task_is_not_imported"],
    VersionOverflows: ["test_a_task_at_the_highest_version_can_be_changed"],
    KeepsIdempotencyRecordsOnErase: ["test_only_the_data_of_one_owner_is_erased"],
}
"""Each bug, and tests that must fail on it."""


@pytest.fixture(params=[InMemoryTasks, *FOUND_BY], ids=lambda bug: bug.__name__)
def adapter(request: pytest.FixtureRequest, clock: TickingClock) -> InMemoryTasks:
    """The adapter without a bug, and with each bug."""
    return adapter_with(request.param, clock)


@pytest.fixture
def open_tasks(adapter: InMemoryTasks) -> OpenTasks:
    return adapter.open_tasks


@pytest.fixture
def open_owner_data(adapter: InMemoryTasks) -> OpenOwnerData:
    return adapter.open_owner_data


class TestTasks(TaskServiceContract):
    pass


class TestOwnerData(OwnerDataContract):
    pass
