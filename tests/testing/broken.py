"""Storage adapters with one plausible bug each; the contract must find it.

`test_broken.py` runs this module in another process.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from time import sleep
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from tests.contract.maintenance import MemoryMaintenance

from taskservice.adapters.memory import (
    InMemoryStorage,
    _counts,
    _OwnerChangeLog,
    _OwnerData,
    _OwnerIdempotencyStore,
    _OwnerState,
    _Repository,
    _Tasks,
    _Trash,
)
from taskservice.core.changes import (
    UNKNOWN_ORIGIN,
    DescribeChange,
    EntityPage,
    LogPage,
    NumberedChange,
    Origin,
    Position,
    first_kept,
)
from taskservice.core.clock import Clock
from taskservice.core.entity import VERSION_LIMIT, Entity, Step
from taskservice.core.errors import InvalidEntity, SyncExpired
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.labels import LabelCount
from taskservice.core.owner_data import OpenOwnerData, OwnerCounts, OwnerData, Refusal
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenWorkspace, Workspace
from taskservice.testing import TickingClock
from taskservice.testing.contract import Expiry, OwnerDataContract, TaskServiceContract
from taskservice.testing.contract.one_owner import settable


def with_repository(
    workspace: Workspace, repository: type[Any], owner: str, *given: Any
) -> Workspace:
    """Return a workspace of an owner with another repository, which gets what is given."""
    is_of_trash = issubclass(repository, _Trash)

    def repository_of(kind: type[Any]) -> Any:
        if (kind is TrashedTask) is not is_of_trash:
            return workspace.repository(kind)
        return repository(kind, partial(kind.create, owner, new_id=workspace.new_id), *given)

    return workspace._replace(repository=repository_of)


START_OF_LOG = Position(0, 0)


class NoOwnerClause(InMemoryStorage):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with super()._transaction("all") as state:
            yield state


class OwnersCaseInsensitive(InMemoryStorage):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with super()._transaction(owner.casefold()) as state:
            yield state


class NoRollback(InMemoryStorage):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            yield self._owners.setdefault(owner, _OwnerState())


class NeverAtomic(InMemoryStorage):
    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        with super().open_workspace(owner) as workspace:
            yield workspace


class AlwaysAtomic(InMemoryStorage):
    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        with super().open_workspace(owner, atomic=True, origin=origin) as workspace:
            yield workspace


class RandomIds(InMemoryStorage):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, lambda at: uuid4())


class ChangesInTwoTransactions(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        changed: Task = step(self.get(task_id), self._clock())
        with self._begin() as state:
            state.entities[Task][task_id] = changed
        return changed


class IncrementsUnchangedVersion(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        def touch(task: Task, now: datetime) -> Task:
            changed: Task = replace(step(task, now), version=task.version + 1)
            return changed

        return super().change(task_id, touch)


class UpdatedAtGoesBack(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        return super().change(
            task_id, lambda task, now: replace(step(task, now), updated_at=self._clock())
        )


class RemovesToChange(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        task = self.get(task_id)
        self.remove(task_id)
        changed: Task = step(task, self._clock())
        with self._begin() as state:
            state.entities[Task][task_id] = changed
        return changed


class NoPrecondition(_Repository[Task]):
    def remove(self, task_id: UUID, precondition: Precondition[Any] | None = None) -> None:
        super().remove(task_id)


class PreconditionInAnotherTransaction(_Repository[Task]):
    def remove(self, task_id: UUID, precondition: Precondition[Any] | None = None) -> None:
        if precondition:
            precondition(self.get(task_id))
        super().remove(task_id)


class Milliseconds(_Repository[Task]):
    def get(self, task_id: UUID) -> Task:
        task = super().get(task_id)
        at = task.created_at
        return replace(task, created_at=at.replace(microsecond=at.microsecond // 1000 * 1000))


class LocalTimes(_Repository[Task]):
    def get(self, task_id: UUID) -> Task:
        task = super().get(task_id)
        return replace(task, created_at=task.created_at.astimezone(timezone(timedelta(hours=1))))


class DropsAField(_Repository[Task]):
    def add(self, new: Any) -> Task:
        return super().add(replace(new, description=None))


class StoresNoField(_Repository[Task]):
    def add(self, new: Any) -> Task:
        task = super().add(replace(new, description=None))
        return replace(task, description=new.description)


class DropsAFieldOnChange(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        def drop(task: Task, now: datetime) -> Task:
            changed: Task = replace(step(task, now), description=task.description)
            return changed

        return super().change(task_id, drop)


class KeepsAFieldThatIsSetToNull(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        def keep(task: Task, now: datetime) -> Task:
            changed = step(task, now)
            return replace(changed, description=changed.description or task.description)

        return super().change(task_id, keep)


class ListsNoField(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        page = super().list(query)
        return replace(page, items=[replace(task, description=None) for task in page.items])


class PagesSkipATask(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        page = super().list(replace(query, limit=query.limit + 1))
        return Page(items=page.items[: query.limit], next=page.next, total=page.total)


class PagesByOffset(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        (offset,) = query.after or (0,)
        found = super().list(replace(query, after=None, limit=1000)).items[offset:]
        more = len(found) > query.limit
        following = replace(query, after=(offset + query.limit,)) if more else None
        return Page(items=found[: query.limit], next=following)


class TotalOfThePage(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        page = super().list(query)
        return replace(page, total=len(page.items) if query.with_total else None)


class SearchesLowerCase(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        searched = (query.text or "").lower()
        with self._begin() as state:
            found = [
                task for task in state.entities[Task].values() if searched in task.title.lower()
            ]
        page: Page[Any] = replace(query, text=None).page(found)
        return page


class IgnoresAFilter(_Repository[Task]):
    ignored = "updated_before"

    def list(self, query: Any) -> Page[Any]:
        page: Any = super().list(replace(query, **{self.ignored: None}))
        value = getattr(query, self.ignored)
        following = page.next and replace(page.next, **{self.ignored: value})
        return Page(items=page.items, next=following, total=page.total)


class IgnoresTheDirection(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        return super().list(replace(query, sort=replace(query.sort, descending=False)))


class AfterIsExclusive(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        after = query.created_after
        later = after and after + timedelta(microseconds=1)
        return super().list(replace(query, created_after=later))


class IgnoresTheZoneOfTheReader(IgnoresAFilter):
    ignored = "time_zone"


class SortsTheDateBeforeItsTimes(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        page: Any = super().list(query)
        if query.sort.field == "due":
            page.items.sort(key=lambda task: str(task.due), reverse=query.sort.descending)
        return cast(Page[Any], page)


class CountsLabelsOfClosedTasksAsOpen(_Tasks):
    def count_labels(self) -> Sequence[LabelCount]:
        return [replace(one, open=one.all) for one in super().count_labels()]


class StoresNoRecords(_OwnerIdempotencyStore):
    def begin(self, key: str, fingerprint: bytes) -> None:
        return None

    def complete(self, key: str, result: bytes) -> None:
        pass


class NeverCompletes(_OwnerIdempotencyStore):
    def complete(self, key: str, result: bytes) -> None:
        pass


class NonTransactionalStore:
    """Idempotency records outside the transaction, stored under `name(key)`."""

    def __init__(self, records: dict[str, IdempotencyRecord], name: Callable[[str], str]) -> None:
        self._records = records
        self._name = name

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        if record := self._records.get(self._name(key)):
            return record
        self._records[self._name(key)] = IdempotencyRecord(fingerprint=fingerprint)
        return None

    def complete(self, key: str, result: bytes) -> None:
        self._records[self._name(key)] = replace(self._records[self._name(key)], result=result)


class RecordsOutsideTheTransaction(InMemoryStorage):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._records: dict[str, IdempotencyRecord] = {}

    def _name(self, owner: str, key: str) -> str:
        return f"{owner} {key}"

    def _workspace(self, owner: str, begin: Any, describe: DescribeChange) -> Workspace:
        store = NonTransactionalStore(self._records, lambda key: self._name(owner, key))
        return super()._workspace(owner, begin, describe)._replace(idempotency=store)


class RecordsSharedByOwners(RecordsOutsideTheTransaction):
    def _name(self, owner: str, key: str) -> str:
        return key


class AcceptsReferencesToNothing(_Repository[Task]):
    def add(self, new: Any) -> Task:
        with self._begin() as state:
            task = self._new_entity(now=self._clock(), new=new)
            state.entities[self._type][task.id] = task
        return task


class RemovesWhatIsInUse(_Repository[Task]):
    def remove(self, task_id: UUID, precondition: Precondition[Any] | None = None) -> None:
        self.get(task_id)
        with self._begin() as state:
            del state.entities[self._type][task_id]


class FindsOneLevelOnly(_Tasks):
    def descendants(self, task_ids: Collection[UUID], limit: int | None = None) -> Sequence[Task]:
        below = super().descendants(task_ids, limit)
        return [task for task in below if task.parent_id in task_ids]


class LogsNoneOfMany(_Tasks):
    def change_all(self, entities: Sequence[Task], step: Step[Task]) -> None:
        with self._begin() as state:
            changed = {one.id: step(one, self._clock()) for one in entities}
            state.entities[Task].update(changed)


class SortsByCreation(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        page: Any = super().list(query)
        if query.sort.field == "position":
            page.items.sort(key=lambda task: task.id)
        return cast(Page[Any], page)


class InsertsTheSettableFields(_Repository[Task]):
    def insert(self, entity: Task) -> None:
        self.add(settable(entity))


class InsertsReferencesToNothing(_Repository[Task]):
    def insert(self, entity: Task) -> None:
        with self._begin() as state:
            state.entities[self._type][entity.id] = entity


class InsertsOutsideTheTransaction(InMemoryStorage):
    def _workspace(self, owner: str, begin: Any, describe: DescribeChange) -> Workspace:
        committed = self._owners.setdefault(owner, _OwnerState())

        class Repository(_Tasks):
            def insert(self, entity: Task) -> None:
                super().insert(entity)
                committed.entities[Task][entity.id] = entity

        workspace = super()._workspace(owner, begin, describe)
        return with_repository(workspace, Repository, owner, begin, self._clock, describe)


class FindsTheFirstOfASeriesOnly(_Repository[Task]):
    def list(self, query: Any) -> Page[Any]:
        with self._begin() as state:
            found = [
                one for one in state.entities[Task].values() if query.series_id in {None, one.id}
            ]
        page: Page[Any] = query.page(found)
        return page


class ClosesInTwoTransactions(NeverAtomic):
    def _workspace(self, owner: str, begin: Any, describe: DescribeChange) -> Workspace:
        class Repository(ChangesInTwoTransactions, _Tasks):
            def get(self, task_id: UUID) -> Task:
                task: Task = super().get(task_id)
                sleep(0.001)  # Meanwhile others read the task too.
                return task

        workspace = super()._workspace(owner, begin, describe)
        return with_repository(workspace, Repository, owner, begin, self._clock, describe)


class OverwritesOnImport(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        with self._begin() as state:
            state.entities[Task].update(
                {one.id: one for one in entities if one.user_id == self._owner}
            )
        return [Refusal(one) for one in entities if one.user_id != self._owner]


class ImportsForeignTasks(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        with self._begin() as state:
            state.entities[Task].update({one.id: one for one in entities})
        return []


class ImportsInOneOrderOnly(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        imported = super().import_entities
        return [refusal for one in entities for refusal in imported([one])]


class ImportsReferencesToNothing(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        refused = super().import_entities(entities)
        with self._begin() as state:
            for one in (one.entity for one in refused if one.errors):
                state.entities[type(one)][one.id] = one
        return [one for one in refused if not one.errors]


class WaitsForTheSuccessorOnImport(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        ready = [one for one in entities if not getattr(one, "next_id", None)]
        return [
            *super().import_entities(ready),
            *(Refusal(one) for one in entities if one not in ready),
        ]


class DropsAFieldOnImport(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        super().import_entities([replace(cast(Task, one), description=None) for one in entities])
        return []


class VersionOverflows(_Repository[Task]):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        task = super().change(task_id, step)
        if task.version > VERSION_LIMIT:
            raise OverflowError("integer out of range")
        return task


class KeepsIdempotencyRecordsOnErase(_OwnerData):
    def erase(self) -> OwnerCounts:
        with self._begin() as state:
            removed = _counts(state)
            state.entities[Task].clear()
            return removed


class NumbersWhatDidNotChange(_Tasks):
    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        before = self.get(task_id)
        after = super().change(task_id, step)
        if after == before:
            with self._begin() as state:
                state._append(self._describe.edit(before, after))
        return after


class KeepsNumbersOfRollbacks(InMemoryStorage):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            committed = self._owners.setdefault(owner, _OwnerState())
            working_copy = committed.copy()
            try:
                yield working_copy
            finally:
                committed.head = working_copy.head
            self._owners[owner] = working_copy


class MarksByNumber(InMemoryStorage):
    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with super()._transaction(owner) as state:
            yield state
            state.log = {n: one._replace(id=UUID(int=n)) for n, one in state.log.items()}


class LogsNoRemoval(_Tasks):
    def remove(self, task_id: UUID, precondition: Precondition[Any] | None = None) -> None:
        super().remove(task_id, precondition)
        with self._begin() as state:
            del state.log[state.head]
            state.head -= 1


class LogsListsOnly(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        refused = super().import_entities(entities)
        with self._begin() as state:
            logged = [one for one in state.log.values() if one.kind == "list"]
            state.log = dict(enumerate(logged, 1))
            state.head = len(logged)
        return refused


class KeepsTheLogOnErase(_OwnerData):
    def erase(self) -> OwnerCounts:
        with self._begin() as state:
            log, head = dict(state.log), state.head
        removed = super().erase()
        with self._begin() as state:
            state.log, state.head = log, head
        return removed


class EndsEachPageAtTheNewestChange(_OwnerChangeLog):
    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        page = super().since(position, seen, limit)
        last = [one._replace(position=page.end) for one in page.entries[-1:]]
        return page._replace(entries=[*page.entries[:-1], *last])


class IgnoresWhatWasSeen(_OwnerChangeLog):
    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        return super().since(position, position, limit)

    def entities(
        self, entity_type: type[Entity], after: UUID, seen: Position | None, limit: int
    ) -> EntityPage:
        return super().entities(entity_type, after, None, limit)


class SkipsAnEntityAtEachPage(_OwnerChangeLog):
    def entities(
        self, entity_type: type[Entity], after: UUID, seen: Position | None, limit: int
    ) -> EntityPage:
        page = super().entities(entity_type, after, seen, limit + 1)
        skipped = 1 if after.int else 0
        return page._replace(entities=page.entities[skipped : skipped + limit])


class BeginsWithTheWholeLog(_OwnerChangeLog):
    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        try:
            return super().since(position, seen, limit)
        except SyncExpired:
            return super().since(START_OF_LOG, START_OF_LOG, limit)


class PrunesTheAnchor(InMemoryStorage):
    def prune_changes(self, oldest: datetime, now: datetime) -> int:
        for state in self._owners.values():
            times = {number: change.at for number, change in state.log.items()}
            kept = first_kept(times, oldest, now) + 1
            state.log = {number: one for number, one in state.log.items() if number >= kept}
        return 0


class PrunesByTimeAlone(InMemoryStorage):
    def prune_changes(self, oldest: datetime, now: datetime) -> int:
        for state in self._owners.values():
            state.log = {
                number: one
                for number, one in state.log.items()
                if one.at >= oldest or number == state.head
            }
        return 0


class ListsTheTrashToo(_Tasks):
    def list(self, query: Any) -> Page[Any]:
        with self._begin() as state:
            trashed = [one.task for one in state.entities[TrashedTask].values()]
            page: Page[Any] = query.page([*state.entities[Task].values(), *trashed])
        return page


class CountsTheTrashToo(_Tasks):
    def count_by_list(self, query: TaskQuery) -> Mapping[UUID | None, int]:
        with self._begin() as state:
            stored = [*state.entities[Task].values(), *state.entities[TrashedTask].values()]
        return Counter(one.list_id for one in stored if query.admits(one))


class CountsAPageByList(_Tasks):
    def count_by_list(self, query: TaskQuery) -> Mapping[UUID | None, int]:
        return Counter(one.list_id for one in self.list(query).items)


class TrashLosesAField(_Tasks):
    def _trash(self, state: _OwnerState, task: Task, root_id: UUID | None) -> None:
        super()._trash(state, task, root_id)
        trashed = state.entities[TrashedTask][task.id]
        state.entities[TrashedTask][task.id] = replace(trashed, description=None)


class RemovalForgetsTheTrash(_Tasks):
    def _trash(self, state: _OwnerState, task: Task, root_id: UUID | None) -> None:
        super()._trash(state, task, root_id)
        del state.entities[TrashedTask][task.id]


class RemovalKeepsTheTask(_Tasks):
    def _trash(self, state: _OwnerState, task: Task, root_id: UUID | None) -> None:
        super()._trash(state, task, root_id)
        state.entities[Task][task.id] = task


class TrashForgetsTheRoot(_Tasks):
    def trash_all(self, tasks: Sequence[Task], roots: Mapping[UUID, UUID]) -> None:
        super().trash_all(tasks, {})


class TrashScrubsTheLog(_Tasks):
    def _trash(self, state: _OwnerState, task: Task, root_id: UUID | None) -> None:
        super()._trash(state, task, root_id)
        _scrub(state, task.id)


class RestorationKeepsTheVersion(_Trash):
    def restore_all(self, tasks: Sequence[TrashedTask], step: Any) -> None:
        super().restore_all(tasks, lambda one, now: replace(step(one, now), version=one.version))


class RestorationKeepsItInTheTrash(_Trash):
    def restore_all(self, tasks: Sequence[TrashedTask], step: Any) -> None:
        super().restore_all(tasks, step)
        with self._begin() as state:
            state.entities[TrashedTask].update({one.id: one for one in tasks})


class RestoresFromBelow(_Trash):
    def restore_all(self, tasks: Sequence[TrashedTask], step: Any) -> None:
        super().restore_all(tasks[::-1], step)


class PurgeKeepsValues(_Trash):
    def remove(self, task_id: UUID, precondition: Precondition[Any] | None = None) -> None:
        with self._begin() as state:
            log = dict(state.log)
        super().remove(task_id, precondition)
        with self._begin() as state:
            state.log |= log


class PurgeScrubsTheWholeLog(_Trash):
    def remove(self, task_id: UUID, precondition: Precondition[Any] | None = None) -> None:
        super().remove(task_id, precondition)
        with self._begin() as state:
            for change in [*state.log.values()]:
                _scrub(state, change.entity_id)


class PagesOfTheTrashByTimeAlone(_Trash):
    def list(self, query: Any) -> Page[Any]:
        page: Any = super().list(replace(query, after=None, limit=1000))
        at = query.after and query.after[0]
        if at is not None:
            later = [one for one in page.items if one.trashed_at > at]
            earlier = [one for one in page.items if one.trashed_at < at]
            page = replace(page, items=earlier if query.sort.descending else later)
        return Page.of(page.items, query, page.total)


class HistoryOfAnyEntity(_OwnerChangeLog):
    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        with self._begin() as state:
            found = [NumberedChange(*one) for one in sorted(state.log.items(), reverse=True)]
        return [one for one in found if before is None or one.sequence < before][:limit]


class HistoryOldestFirst(_OwnerChangeLog):
    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        return super().of_entity(entity_id, before, 10_000)[::-1][:limit]


class HistoryIncludesTheNumber(_OwnerChangeLog):
    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        return super().of_entity(entity_id, before and before + 1, limit)


class ImportsOverTheTrash(_OwnerData):
    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        with self._begin() as state:
            trash = dict(state.entities[TrashedTask])
            state.entities[TrashedTask].clear()
        refused = super().import_entities(entities)
        with self._begin() as state:
            state.entities[TrashedTask] |= trash
        return refused


class KeepsTheTrashOnErase(_OwnerData):
    def erase(self) -> OwnerCounts:
        with self._begin() as state:
            trash = dict(state.entities[TrashedTask])
        removed = super().erase()
        with self._begin() as state:
            state.entities[TrashedTask] = trash
        return removed


class SavepointRestoresAll(InMemoryStorage):
    """Without a bug; a subclass does not restore all of the state of an owner."""

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        committed = self._owners.get(owner, _OwnerState())
        with super().open_workspace(owner, atomic=atomic, origin=origin) as workspace:
            begin = workspace.repository(Task)._begin

            @contextmanager
            def savepoint() -> Iterator[None]:
                with begin() as state:
                    earlier = state.copy()
                    try:
                        yield
                    except BaseException as error:
                        self._restore(state, earlier, committed, error)
                        raise

            yield workspace._replace(savepoint=savepoint)

    def _restore(
        self, state: _OwnerState, earlier: _OwnerState, committed: _OwnerState, error: BaseException
    ) -> None:
        state.restore(earlier)


class SavepointKeepsWhatFailed(SavepointRestoresAll):
    def _restore(self, state: Any, earlier: Any, committed: Any, error: Any) -> None:
        pass


class SavepointUndoesTheTransaction(SavepointRestoresAll):
    def _restore(self, state: Any, earlier: Any, committed: Any, error: Any) -> None:
        state.restore(committed.copy())


class SavepointKeepsNumbers(SavepointRestoresAll):
    def _restore(self, state: Any, earlier: Any, committed: Any, error: Any) -> None:
        head = state.head
        state.restore(earlier)
        state.head = head


class SavepointKeepsTheTrash(SavepointRestoresAll):
    def _restore(self, state: Any, earlier: Any, committed: Any, error: Any) -> None:
        trash = state.entities[TrashedTask]
        state.restore(earlier)
        state.entities[TrashedTask] = trash


class SavepointKeepsIdempotencyRecords(SavepointRestoresAll):
    def _restore(self, state: Any, earlier: Any, committed: Any, error: Any) -> None:
        records = state.records
        state.restore(earlier)
        state.records = records


class TransactionEndsWithAMissingReference(SavepointRestoresAll):
    def _restore(self, state: Any, earlier: Any, committed: Any, error: Any) -> None:
        state.restore(earlier)
        if isinstance(error, InvalidEntity):
            del state.entities


class WaitingTasks:
    """A repository in which new tasks wait until another of its methods is called."""

    flushes = True

    def __init__(self, workspace: Workspace, owner: str) -> None:
        self._tasks = workspace.tasks
        self._create = partial(Task.create, owner, new_id=workspace.new_id)
        self._clock = workspace.clock
        self._waiting: list[Task] = []

    def add(self, new: Any) -> Task:
        task = self._create(now=self._clock(), new=new)
        self._waiting.append(task)
        return task

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._tasks.insert(task)

    def __getattr__(self, name: str) -> Any:
        if self.flushes:
            self.flush()
        return getattr(self._tasks, name)


class TasksSeenAtTheEnd(WaitingTasks):
    flushes = False


class CreationsAreLoggedLate(InMemoryStorage):
    waiting_tasks: type[WaitingTasks] = WaitingTasks

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        with super().open_workspace(owner, atomic=atomic, origin=origin) as workspace:
            if not atomic:
                yield workspace
                return
            tasks = self.waiting_tasks(workspace, owner)
            repository = workspace.repository
            yield workspace._replace(
                repository=lambda one: tasks if one is Task else repository(one)
            )
            tasks.flush()


class CreationsAreSeenAtTheEnd(CreationsAreLoggedLate):
    waiting_tasks = TasksSeenAtTheEnd


class FindsLabelsInOneSpelling(_Tasks):
    def list(self, query: Any) -> Page[Any]:
        with self._begin() as state:
            found = [
                one
                for one in state.entities[Task].values()
                if not query.labels_any or {*query.labels_any} & {*one.labels}
            ]
        page: Page[Any] = query.page(found)
        return page


def _scrub(state: _OwnerState, entity_id: UUID) -> None:
    """Take the values of an entity from the log."""
    for number, one in state.log.items():
        if one.entity_id == entity_id:
            state.log[number] = one._replace(previous=None)


def adapter_with(bug: type[Any], clock: Clock) -> InMemoryStorage:
    """Return the adapter `bug`, or one whose tasks or owner data are of that class."""
    if issubclass(bug, InMemoryStorage):
        return bug(clock)

    class BrokenAdapter(InMemoryStorage):
        def _workspace(self, owner: str, begin: Any, describe: DescribeChange) -> Workspace:
            workspace = super()._workspace(owner, begin, describe)
            if issubclass(bug, _OwnerIdempotencyStore):
                return workspace._replace(idempotency=bug(begin))
            if issubclass(bug, _OwnerChangeLog):
                return workspace._replace(changes=bug(begin))
            repository = bug if issubclass(bug, _Repository) else _Tasks
            return with_repository(workspace, repository, owner, begin, self._clock, describe)

        def open_owner_data(self, owner: str) -> OwnerData:
            service = bug if issubclass(bug, _OwnerData) else _OwnerData
            describe = DescribeChange(self._new_change_id, UNKNOWN_ORIGIN)
            return service(owner, lambda: self._transaction(owner), self._clock, describe)

    return BrokenAdapter(clock)


FOUND_BY: dict[type[Any], list[str]] = {
    IgnoresTheZoneOfTheReader: [
        "test_dates_are_compared_as_seen_from_the_time_zone_of_the_query",
    ],
    SortsTheDateBeforeItsTimes: ["test_a_list_by_due_is_by_the_clock_as_written"],
    CountsLabelsOfClosedTasksAsOpen: ["test_the_labels_of_the_owners_tasks_are_counted"],
    NoOwnerClause: [
        "test_another_owners_task_is_not_found",
        "test_another_owners_task_is_not_found_in_a_transaction",
        "test_each_owner_lists_their_own",
        "test_an_inserted_entity_is_stored_with_all_its_fields",
        "test_each_owner_has_a_sequence",
        "test_another_owners_changes_are_not_seen",
        "test_only_the_owners_tasks_have_another_label",
    ],
    OwnersCaseInsensitive: ["test_owners_are_compared_byte_for_byte"],
    NoRollback: [
        "test_atomic_rolls_back_the_whole_block_on_an_exception",
        "test_a_failed_request_stores_no_record",
        "test_an_insertion_is_undone_with_its_transaction",
        "test_an_atomic_batch_is_done_whole_or_not_at_all",
        "test_a_dry_run_leaves_everything_as_it_was",
        "test_a_missing_list_undoes_what_a_locked_workspace_created",
    ],
    NeverAtomic: [
        "test_a_failure_undoes_both_changes_of_a_series",
        "test_atomic_rolls_back_the_whole_block_on_an_exception",
        "test_no_dirty_read_of_an_open_transaction",
        "test_a_reader_sees_each_committed_change_once",
        "test_an_atomic_batch_is_done_whole_or_not_at_all",
        "test_a_dry_run_leaves_everything_as_it_was",
    ],
    AlwaysAtomic: ["test_without_atomic_each_method_is_committed"],
    RandomIds: [
        "test_ids_are_uuids_with_the_time_of_creation",
        "test_a_list_is_newest_first",
        "test_new_ids_have_the_time_that_is_given",
    ],
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
    NoPrecondition: [
        "test_a_removal_checks_its_precondition",
        "test_reopening_keeps_a_successor_that_was_changed",
    ],
    PreconditionInAnotherTransaction: ["test_a_removal_checks_its_precondition_atomically"],
    Milliseconds: ["test_a_task_is_read_as_it_was_stored", "test_any_year_is_stored"],
    LocalTimes: ["test_times_are_aware_and_in_utc"],
    DropsAField: ["test_every_field_is_stored"],
    StoresNoField: ["test_every_field_is_stored"],
    DropsAFieldOnChange: ["test_a_change_of_each_field_is_stored"],
    KeepsAFieldThatIsSetToNull: ["test_a_change_of_each_field_is_stored"],
    ListsNoField: ["test_every_field_is_stored"],
    PagesSkipATask: [
        "test_a_list_is_what_the_query_admits",
        "test_a_query_lists_what_it_specifies",
    ],
    PagesByOffset: ["test_pagination_is_stable", "test_pagination_is_stable_in_every_sort_order"],
    TotalOfThePage: ["test_only_a_query_with_total_has_a_total"],
    SearchesLowerCase: ["test_the_search_folds_case_and_takes_wildcards_literally"],
    IgnoresAFilter: ["test_each_filter_lists_what_it_admits"],
    IgnoresTheDirection: [
        "test_a_query_lists_what_it_specifies",
        "test_pagination_is_stable_in_every_sort_order",
    ],
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
    AcceptsReferencesToNothing: [
        "test_a_reference_to_nothing_is_refused",
        "test_a_missing_list_undoes_what_a_locked_workspace_created",
    ],
    RemovesWhatIsInUse: ["test_an_entity_in_use_is_not_removed"],
    FindsOneLevelOnly: [
        "test_descendants_are_all_below_a_task",
        "test_a_list_is_deleted_in_steps_of_whole_trees",
        "test_a_tree_that_is_larger_than_a_step_does_not_move_in_parts",
    ],
    LogsNoneOfMany: [
        "test_each_of_many_entities_has_a_number",
        "test_a_label_is_renamed_on_all_tasks",
        "test_a_list_is_deleted_in_steps_of_whole_trees",
    ],
    SortsByCreation: [
        "test_lists_and_parents_are_queried_as_specified",
        "test_a_list_is_deleted_in_steps_of_whole_trees",
    ],
    InsertsTheSettableFields: [
        "test_an_inserted_entity_is_stored_with_all_its_fields",
        "test_closing_a_task_that_recurs_makes_one_successor",
        "test_reopening_removes_an_untouched_successor",
    ],
    InsertsReferencesToNothing: ["test_an_inserted_reference_to_nothing_is_refused"],
    InsertsOutsideTheTransaction: [
        "test_an_insertion_is_undone_with_its_transaction",
        "test_a_failure_undoes_both_changes_of_a_series",
    ],
    FindsTheFirstOfASeriesOnly: ["test_a_series_is_queried_as_specified"],
    ClosesInTwoTransactions: [
        "test_many_completions_at_once_make_one_successor",
        "test_many_changes_at_once_leave_one_task_that_recurs",
    ],
    ImportsInOneOrderOnly: ["test_references_are_imported_in_any_order"],
    ImportsReferencesToNothing: ["test_an_import_waits_for_what_it_refers_to"],
    WaitsForTheSuccessorOnImport: ["test_the_ids_of_a_series_are_no_references"],
    OverwritesOnImport: ["test_an_import_does_not_overwrite_a_changed_task"],
    ImportsForeignTasks: ["test_another_owners_task_is_not_imported"],
    DropsAFieldOnImport: ["test_every_field_is_imported"],
    VersionOverflows: ["test_a_task_at_the_highest_version_can_be_changed"],
    NumbersWhatDidNotChange: ["test_an_equal_step_has_no_number"],
    KeepsNumbersOfRollbacks: [
        "test_a_block_that_is_rolled_back_leaves_its_numbers",
        "test_an_atomic_batch_is_done_whole_or_not_at_all",
        "test_a_dry_run_leaves_everything_as_it_was",
    ],
    MarksByNumber: ["test_a_backup_from_before_what_a_client_saw_expires_it"],
    LogsNoRemoval: [
        "test_each_change_has_the_next_number",
        "test_a_first_sync_agrees_while_others_write",
        "test_a_client_agrees_after_anything",
    ],
    LogsListsOnly: ["test_each_imported_entity_has_a_number"],
    KeepsTheLogOnErase: ["test_an_owner_who_comes_back_has_another_log"],
    EndsEachPageAtTheNewestChange: [
        "test_a_page_goes_on_where_the_one_before_was_cut",
        "test_a_client_agrees_after_anything",
    ],
    IgnoresWhatWasSeen: [
        "test_a_position_that_the_log_does_not_have_has_expired",
        "test_a_backup_from_before_what_a_page_showed_expires_its_client",
        "test_a_backup_from_before_a_page_of_a_first_sync_expires_its_client",
    ],
    SkipsAnEntityAtEachPage: [
        "test_entities_are_read_in_order_of_their_ids",
        "test_a_first_sync_shows_lists_before_tasks",
    ],
    BeginsWithTheWholeLog: ["test_a_position_that_the_log_does_not_have_has_expired"],
    PrunesTheAnchor: [
        "test_a_client_that_missed_nothing_never_expires",
        "test_pruning_trusts_no_clock",
    ],
    PrunesByTimeAlone: ["test_pruning_trusts_no_clock"],
    ListsTheTrashToo: [
        "test_a_trashed_task_is_as_absent_as_an_unused_id",
        "test_only_the_owners_tasks_have_another_label",
    ],
    CountsTheTrashToo: [
        "test_a_trashed_task_is_as_absent_as_an_unused_id",
        "test_a_day_on_which_clocks_change",
    ],
    CountsAPageByList: ["test_tasks_are_counted_by_list_as_a_query_specifies"],
    TrashLosesAField: [
        "test_a_task_is_in_the_trash_whole_and_restored_as_it_was",
        "test_each_earlier_state_is_what_the_operation_returned",
    ],
    RemovalForgetsTheTrash: [
        "test_a_task_is_in_the_trash_whole_and_restored_as_it_was",
        "test_a_list_is_deleted_with_its_tasks",
    ],
    RemovalKeepsTheTask: ["test_a_trashed_task_is_as_absent_as_an_unused_id"],
    TrashForgetsTheRoot: [
        "test_a_tree_is_trashed_and_restored_together",
        "test_the_removal_of_a_tree_is_undone_with_it",
        "test_the_trash_is_queried_as_specified",
        "test_a_list_is_deleted_in_steps_of_whole_trees",
    ],
    TrashScrubsTheLog: ["test_a_history_is_kept_over_removal_and_restoration"],
    RestorationKeepsTheVersion: [
        "test_a_task_is_in_the_trash_whole_and_restored_as_it_was",
        "test_a_tree_is_trashed_and_restored_together",
    ],
    RestorationKeepsItInTheTrash: ["test_tasks_are_trashed_and_restored_in_their_order"],
    RestoresFromBelow: ["test_tasks_are_trashed_and_restored_in_their_order"],
    PurgeKeepsValues: ["test_a_purge_is_for_good_and_leaves_numbers_without_values"],
    PurgeScrubsTheWholeLog: ["test_a_purge_is_for_good_and_leaves_numbers_without_values"],
    PagesOfTheTrashByTimeAlone: ["test_the_trash_is_queried_as_specified"],
    HistoryOfAnyEntity: ["test_the_changes_of_an_entity_are_read_backwards"],
    HistoryOldestFirst: ["test_the_changes_of_an_entity_are_read_backwards"],
    HistoryIncludesTheNumber: ["test_the_changes_of_an_entity_are_read_backwards"],
    ImportsOverTheTrash: ["test_an_id_is_in_the_trash_or_not"],
    KeepsTheTrashOnErase: ["test_only_the_data_of_one_owner_is_erased"],
    SavepointKeepsWhatFailed: [
        "test_a_savepoint_undoes_what_its_block_wrote",
        "test_after_a_savepoint_a_transaction_goes_on",
        "test_a_batch_does_what_its_operations_do",
    ],
    SavepointUndoesTheTransaction: [
        "test_a_savepoint_undoes_what_its_block_wrote",
        "test_after_a_savepoint_a_transaction_goes_on",
        "test_a_batch_does_what_its_operations_do",
    ],
    SavepointKeepsNumbers: [
        "test_a_savepoint_undoes_what_its_block_wrote",
        "test_after_a_savepoint_a_transaction_goes_on",
        "test_a_batch_does_what_its_operations_do",
    ],
    SavepointKeepsTheTrash: [
        "test_a_savepoint_undoes_what_its_block_wrote",
        "test_a_batch_does_what_its_operations_do",
    ],
    SavepointKeepsIdempotencyRecords: ["test_a_savepoint_undoes_what_its_block_wrote"],
    TransactionEndsWithAMissingReference: [
        "test_after_a_savepoint_a_transaction_goes_on",
        "test_a_batch_does_what_its_operations_do",
    ],
    CreationsAreLoggedLate: ["test_what_a_locked_workspace_creates_is_seen_at_once"],
    CreationsAreSeenAtTheEnd: ["test_what_a_locked_workspace_creates_is_seen_at_once"],
    FindsLabelsInOneSpelling: ["test_a_label_is_renamed_on_all_tasks"],
    KeepsIdempotencyRecordsOnErase: ["test_only_the_data_of_one_owner_is_erased"],
}
"""Each bug, and tests that must fail on it."""


@pytest.fixture(params=[InMemoryStorage, *FOUND_BY], ids=lambda bug: bug.__name__)
def adapter(request: pytest.FixtureRequest, clock: TickingClock) -> InMemoryStorage:
    """The adapter without a bug, and with each bug."""
    return adapter_with(request.param, clock)


@pytest.fixture
def open_workspace(adapter: InMemoryStorage) -> OpenWorkspace:
    return adapter.open_workspace


@pytest.fixture
def open_owner_data(adapter: InMemoryStorage) -> OpenOwnerData:
    return adapter.open_owner_data


class TestTasks(TaskServiceContract):
    pass


class TestExpiry(Expiry):
    @pytest.fixture
    def maintenance(self, adapter: InMemoryStorage) -> MemoryMaintenance:
        return MemoryMaintenance(adapter)


class TestOwnerData(OwnerDataContract):
    pass
