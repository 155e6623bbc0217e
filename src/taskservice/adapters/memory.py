"""The in-memory storage adapter, for tests and development. Its data ends with the process."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from threading import Lock
from typing import Any, Generic
from uuid import UUID

from taskservice.core.changes import (
    IMPORT,
    UNKNOWN_ORIGIN,
    Change,
    DescribeChange,
    EntityPage,
    LogEntry,
    LogPage,
    LogState,
    NumberedChange,
    Origin,
    Position,
    first_kept,
)
from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Entity, Step, references_of, refuse
from taskservice.core.errors import EntityInUse
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.ids import NewId, TimeOrderedIds
from taskservice.core.labels import LabelCount, count_labels
from taskservice.core.owner_data import OwnerCounts, OwnerData, Refusal, sort_for_import
from taskservice.core.preconditions import Precondition, checked
from taskservice.core.query import Page, Query
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import STORED_TYPES, Workspace, entity_type


@dataclass
class _OwnerState:
    """All data of one owner: entities by type and id, records by key, and the log."""

    entities: dict[type[Entity], dict[UUID, Any]] = field(
        default_factory=lambda: {entity_type: {} for entity_type in STORED_TYPES}
    )
    records: dict[str, IdempotencyRecord] = field(default_factory=dict)
    log: dict[int, Change] = field(default_factory=dict)
    head: int = 0
    written: int = 0
    """How many changes the transaction has written, also those that were undone."""

    def find(self, type_name: str, entity_id: UUID) -> Entity | None:
        found = entity_type(type_name)
        return None if found is None else self.entities[found].get(entity_id)

    def has(self, entity_id: UUID) -> bool:
        return any(entity_id in stored for stored in self.entities.values())

    def store(self, entity: E, change: Change) -> E:
        refuse([*type(entity).missing_references(vars(entity), self.find)])
        self.entities[type(entity)][entity.id] = entity
        self._append(change)
        return entity

    def remove(self, entity: Entity, change: Change) -> None:
        self._take(entity)
        for number, one in self.log.items():
            if one.entity_id == entity.id:
                self.log[number] = one._replace(previous=None)
        self._append(change)

    def move(self, before: Entity, after: Entity, change: Change) -> None:
        self._take(before)
        self.store(after, change)

    def _take(self, entity: Entity) -> None:
        stored = chain.from_iterable(one.values() for one in self.entities.values())
        if any(entity.id in _references(one) for one in stored):
            raise EntityInUse
        del self.entities[type(entity)][entity.id]

    def _append(self, change: Change) -> None:
        self.head += 1
        self.written += 1
        self.log[self.head] = change

    @property
    def log_state(self) -> LogState:
        newest = Position.of(self.head, self.log[self.head].id) if self.log else None
        return LogState(self.head, min(self.log, default=None), newest)

    def require(self, position: Position) -> None:
        change = self.log.get(position.sequence)
        self.log_state.require(position, change and change.id)

    def restore(self, earlier: "_OwnerState") -> None:
        vars(self).update({**vars(earlier), "written": self.written})

    def copy(self) -> "_OwnerState":
        entities = {one: dict(stored) for one, stored in self.entities.items()}
        return _OwnerState(entities, dict(self.records), dict(self.log), self.head)


_Begin = Callable[[], AbstractContextManager[_OwnerState]]


class InMemoryStorage:
    """All owners' data in one process; `open_workspace` is the port. It is thread-safe.

    Transactions of all owners are serialized by one lock. So a block opened with
    `atomic=True` blocks all others, and must not open a workspace itself.
    """

    def __init__(self, clock: Clock = system_clock, new_id: NewId | None = None) -> None:
        self._clock = clock
        self._new_id = new_id or TimeOrderedIds()
        self._new_change_id = TimeOrderedIds()
        self._owners: dict[str, _OwnerState] = {}
        self._lock = Lock()

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        """Yield the workspace of `owner`; see `OpenWorkspace`."""
        describe = DescribeChange(self._new_change_id, origin)
        if atomic:
            with self._transaction(owner) as state:
                workspace = self._workspace(owner, lambda: nullcontext(state), describe)
                yield workspace._replace(
                    lock=lambda: None,
                    savepoint=partial(_savepoint, state),
                    count_changes=lambda: state.written,
                )
        else:
            yield self._workspace(owner, lambda: self._transaction(owner), describe)

    def open_owner_data(self, owner: str) -> OwnerData:
        """Return the data of `owner`; see `OpenOwnerData`."""
        describe = DescribeChange(self._new_change_id, IMPORT)
        return _OwnerData(owner, lambda: self._transaction(owner), self._clock, describe)

    def prune_changes(self, oldest: datetime, now: datetime) -> int:
        """Remove the changes before `oldest`; return how many. See `core.changes.first_kept`."""
        with self._lock:
            return sum(_prune(state, oldest, now) for state in self._owners.values())

    def _workspace(self, owner: str, begin: _Begin, describe: DescribeChange) -> Workspace:
        def repository(entity_type: type[Any]) -> Any:
            repository_type = _REPOSITORY_TYPES.get(entity_type, _Repository)
            new_entity = partial(entity_type.create, owner, new_id=self._new_id)
            return repository_type(entity_type, new_entity, begin, self._clock, describe)

        return Workspace(
            repository,
            _OwnerIdempotencyStore(begin),
            self._new_id,
            _OwnerChangeLog(begin),
            self._clock,
        )

    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            working_copy = self._owners.get(owner, _OwnerState()).copy()
            yield working_copy
            self._owners[owner] = working_copy


@contextmanager
def _savepoint(state: _OwnerState) -> Iterator[None]:
    earlier = state.copy()
    try:
        yield
    except BaseException:
        state.restore(earlier)
        raise


class _Repository(Generic[E]):
    """One owner's entities of a type; each method runs in the transaction that `begin` opens."""

    def __init__(
        self,
        entity_type: type[E],
        new_entity: Callable[..., E],
        begin: _Begin,
        clock: Clock,
        describe: DescribeChange,
    ) -> None:
        self._type = entity_type
        self._new_entity = new_entity
        self._begin = begin
        self._clock = clock
        self._describe = describe

    def add(self, new: Any) -> E:
        with self._begin() as state:
            entity = self._new_entity(now=self._clock(), new=new)
            return state.store(entity, self._describe.creation(entity, entity.created_at))

    def insert(self, entity: E) -> None:
        with self._begin() as state:
            state.store(entity, self._describe.creation(entity, entity.updated_at))

    def get(self, entity_id: UUID) -> E:
        with self._entities() as entities:
            return self._find(entities, entity_id)

    def list(self, query: Query[E]) -> Page[E]:
        with self._entities() as entities:
            return query.page(entities.values())

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        with self._begin() as state:
            before = self._find(state.entities[self._type], entity_id)
            after = step(before, self._clock())
            if after == before:
                return after
            return state.store(after, self._describe.edit(before, after))

    def change_all(self, entities: Sequence[E], step: Step[E]) -> None:
        for entity in entities:
            self.change(entity.id, step)

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        with self._begin() as state:
            entity = checked(self._find(state.entities[self._type], entity_id), precondition)
            state.remove(entity, self._describe.removal(entity, self._clock()))

    def remove_all(self, entities: Sequence[E]) -> None:
        for entity in entities:
            self.remove(entity.id)

    @contextmanager
    def _entities(self) -> Iterator[dict[UUID, E]]:
        with self._begin() as state:
            yield state.entities[self._type]

    def _find(self, entities: dict[UUID, E], entity_id: UUID) -> E:
        try:
            return entities[entity_id]
        except KeyError:
            raise self._type.not_found(entity_id) from None


class _Tasks(_Repository[Task]):
    """One owner's tasks."""

    def descendants(self, task_ids: Collection[UUID], limit: int | None = None) -> Sequence[Task]:
        with self._entities() as tasks:
            found: list[Task] = []
            level = {*task_ids}
            while level:
                below = [one for one in tasks.values() if one.parent_id in level]
                found += sorted(below, key=lambda one: (one.position, one.id))
                level = {one.id for one in below}
            return found[:limit]

    def count_labels(self) -> Sequence[LabelCount]:
        with self._entities() as tasks:
            return count_labels((one.labels, not one.completed, 1) for one in tasks.values())

    def count_by_list(self, query: TaskQuery) -> Mapping[UUID | None, int]:
        with self._entities() as tasks:
            return Counter(one.list_id for one in tasks.values() if query.admits(one))

    def trash(self, task_id: UUID, precondition: Precondition[Task] | None = None) -> None:
        with self._begin() as state:
            task = checked(self._find(state.entities[Task], task_id), precondition)
            self._trash(state, task, None)

    def trash_all(self, tasks: Sequence[Task], roots: Mapping[UUID, UUID]) -> None:
        with self._begin() as state:
            for task in tasks:
                self._trash(state, task, roots.get(task.id))

    def _trash(self, state: _OwnerState, task: Task, root_id: UUID | None) -> None:
        change = self._describe.removal(task, self._clock())
        trashed = TrashedTask(**vars(task), trashed_at=change.at, trashed_with=root_id)
        state.move(task, trashed, change)


class _Trash(_Repository[TrashedTask]):
    """One owner's trash."""

    def restore_all(
        self, tasks: Sequence[TrashedTask], step: Callable[[TrashedTask, datetime], Task]
    ) -> None:
        with self._begin() as state:
            for trashed in tasks:
                task = step(trashed, self._clock())
                state.move(trashed, task, self._describe.restoration(trashed.task, task))


_REPOSITORY_TYPES: dict[type[Any], type[_Repository[Any]]] = {Task: _Tasks, TrashedTask: _Trash}


class _OwnerIdempotencyStore:
    """One owner's idempotency records; the lock of the adapter serves as the lock of a key."""

    def __init__(self, begin: _Begin) -> None:
        self._begin = begin

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        with self._begin() as state:
            if record := state.records.get(key):
                return record
            state.records[key] = IdempotencyRecord(fingerprint=fingerprint)
            return None

    def complete(self, key: str, result: bytes) -> None:
        with self._begin() as state:
            state.records[key] = replace(state.records[key], result=result)


class _OwnerChangeLog:
    """One owner's `ChangeLog`."""

    def __init__(self, begin: _Begin) -> None:
        self._begin = begin

    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        with self._begin() as state:
            state.require(position)
            state.require(seen)
            numbers = [number for number in sorted(state.log) if number > position.sequence]
            entries = [_entry(state, number) for number in numbers[:limit]]
            return LogPage(entries, state.log_state.end)

    def entities(
        self, entity_type: type[Entity], after: UUID, seen: Position | None, limit: int
    ) -> EntityPage:
        with self._begin() as state:
            if seen is not None:
                state.require(seen)
            entities = state.entities[entity_type]
            found = [entities[one] for one in sorted(entities) if one > after]
            return EntityPage(found[:limit], state.log_state.end)

    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        with self._begin() as state:
            found = [
                NumberedChange(number, change)
                for number, change in sorted(state.log.items(), reverse=True)
                if change.entity_id == entity_id and (before is None or number < before)
            ]
            return found[:limit]


class _OwnerData:
    """Import, count and erase one owner's data."""

    def __init__(self, owner: str, begin: _Begin, clock: Clock, describe: DescribeChange) -> None:
        self._owner = owner
        self._begin = begin
        self._clock = clock
        self._describe = describe

    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        with self._begin() as state:
            ready, refused = sort_for_import(self._owner, entities, state.find)
            for entity in ready:
                if not state.has(entity.id):
                    state.store(entity, self._describe.creation(entity, self._clock()))
            differing = [one for one in ready if state.entities[type(one)].get(one.id) != one]
            return [*refused, *map(Refusal, differing)]

    def count(self) -> OwnerCounts:
        with self._begin() as state:
            return _counts(state)

    def erase(self) -> OwnerCounts:
        with self._begin() as state:
            removed = _counts(state)
            for entities in state.entities.values():
                entities.clear()
            state.records.clear()
            state.log.clear()
            state.head = 0
            return removed


def _references(entity: Entity) -> list[UUID | None]:
    return [getattr(entity, name) for name in references_of(type(entity))]


def _counts(state: _OwnerState) -> OwnerCounts:
    entities = {one.type_name: len(stored) for one, stored in state.entities.items()}
    return OwnerCounts(entities, len(state.records), len(state.log))


def _entry(state: _OwnerState, number: int) -> LogEntry:
    change = state.log[number]
    entity = state.find(change.kind, change.entity_id)
    return LogEntry(Position.of(number, change.id), change.kind, change.entity_id, entity)


def _prune(state: _OwnerState, oldest: datetime, now: datetime) -> int:
    times = {number: change.at for number, change in state.log.items()}
    kept = first_kept(times, oldest, now)
    pruned = [number for number in state.log if number < kept]
    for number in pruned:
        del state.log[number]
    return len(pruned)
