"""The in-memory storage adapter, for tests and development. Its data ends with the process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from threading import Lock
from typing import Any, Generic
from uuid import UUID

from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Entity, Step, references_of, refuse
from taskservice.core.errors import EntityInUse
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.ids import NewId, TimeOrderedIds
from taskservice.core.labels import LabelCount, count_labels
from taskservice.core.owner_data import OwnerCounts, OwnerData, Refusal, sort_for_import
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import Task
from taskservice.core.workspace import ENTITY_TYPES, Workspace, entity_type


@dataclass(frozen=True)
class _OwnerState:
    """All data of one owner: entities by type and id, records by key."""

    entities: dict[type[Entity], dict[UUID, Any]] = field(
        default_factory=lambda: {entity_type: {} for entity_type in ENTITY_TYPES}
    )
    records: dict[str, IdempotencyRecord] = field(default_factory=dict)

    def find(self, type_name: str, entity_id: UUID) -> Entity | None:
        found = entity_type(type_name)
        return None if found is None else self.entities[found].get(entity_id)

    def store(self, entity: E) -> E:
        refuse([*type(entity).missing_references(vars(entity), self.find)])
        self.entities[type(entity)][entity.id] = entity
        return entity

    def remove(self, entity: Entity) -> None:
        stored = chain.from_iterable(one.values() for one in self.entities.values())
        if any(entity.id in _references(one) for one in stored):
            raise EntityInUse
        del self.entities[type(entity)][entity.id]

    def copy(self) -> "_OwnerState":
        return _OwnerState(
            {t: dict(stored) for t, stored in self.entities.items()}, dict(self.records)
        )


_Begin = Callable[[], AbstractContextManager[_OwnerState]]


class InMemoryStorage:
    """All owners' data in one process; `open_workspace` is the port. It is thread-safe.

    Transactions of all owners are serialized by one lock. So a block opened with
    `atomic=True` blocks all others, and must not open a workspace itself.
    """

    def __init__(self, clock: Clock = system_clock, new_id: NewId | None = None) -> None:
        self._clock = clock
        self._new_id = new_id or TimeOrderedIds()
        self._owners: dict[str, _OwnerState] = {}
        self._lock = Lock()

    @contextmanager
    def open_workspace(self, owner: str, *, atomic: bool = False) -> Iterator[Workspace]:
        """Yield the workspace of `owner`; see `OpenWorkspace`."""
        if atomic:
            with self._transaction(owner) as state:
                yield self._workspace(owner, lambda: nullcontext(state))
        else:
            yield self._workspace(owner, lambda: self._transaction(owner))

    def open_owner_data(self, owner: str) -> OwnerData:
        """Return the data of `owner`; see `OpenOwnerData`."""
        return _OwnerData(owner, lambda: self._transaction(owner))

    def _workspace(self, owner: str, begin: _Begin) -> Workspace:
        def repository(entity_type: type[Any]) -> Any:
            repository_type = _Tasks if entity_type is Task else _Repository
            return repository_type(entity_type, owner, begin, self._clock, self._new_id)

        return Workspace(repository, _OwnerIdempotencyStore(begin), lambda: None, self._new_id)

    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            working_copy = self._owners.get(owner, _OwnerState()).copy()
            yield working_copy
            self._owners[owner] = working_copy


class _Repository(Generic[E]):
    """One owner's entities of a type; each method runs in the transaction that `begin` opens."""

    def __init__(
        self, entity_type: type[E], owner: str, begin: _Begin, clock: Clock, new_id: NewId
    ) -> None:
        self._type = entity_type
        self._owner = owner
        self._begin = begin
        self._clock = clock
        self._new_id = new_id

    def add(self, new: Any) -> E:
        with self._begin() as state:
            entity = self._type.create(self._owner, self._clock(), self._new_id, new)
            return state.store(entity)

    def insert(self, entity: E) -> None:
        with self._begin() as state:
            state.store(entity)

    def get(self, entity_id: UUID) -> E:
        with self._entities() as entities:
            return self._find(entities, entity_id)

    def list(self, query: Query[E]) -> Page[E]:
        with self._entities() as entities:
            return query.page(entities.values())

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        with self._begin() as state:
            entity = self._find(state.entities[self._type], entity_id)
            return state.store(step(entity, self._clock()))

    def change_all(self, entities: Sequence[E], step: Step[E]) -> None:
        for entity in entities:
            with suppress(self._type.not_found):
                self.change(entity.id, step)

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        with self._begin() as state:
            entity = self._find(state.entities[self._type], entity_id)
            if precondition:
                precondition(entity)
            state.remove(entity)

    def remove_all(self, entities: Sequence[E]) -> None:
        for entity in entities:
            with suppress(self._type.not_found):
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

    def descendants(self, task_id: UUID, limit: int | None = None) -> Sequence[Task]:
        with self._entities() as tasks:
            found: list[Task] = []
            level = {task_id}
            while level:
                below = [one for one in tasks.values() if one.parent_id in level]
                found += sorted(below, key=lambda one: (one.position, one.id))
                level = {one.id for one in below}
            return found[:limit]

    def count_labels(self) -> Sequence[LabelCount]:
        with self._entities() as tasks:
            return count_labels((one.labels, not one.completed, 1) for one in tasks.values())


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


class _OwnerData:
    """Import, count and erase one owner's data."""

    def __init__(self, owner: str, begin: _Begin) -> None:
        self._owner = owner
        self._begin = begin

    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        with self._begin() as state:
            ready, refused = sort_for_import(self._owner, entities, state.find)
            for entity in ready:
                state.entities[type(entity)].setdefault(entity.id, entity)
            differing = [one for one in ready if state.entities[type(one)][one.id] != one]
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
            return removed


def _references(entity: Entity) -> list[UUID | None]:
    return [getattr(entity, name) for name in references_of(type(entity))]


def _counts(state: _OwnerState) -> OwnerCounts:
    entities = {one.type_name: len(stored) for one, stored in state.entities.items()}
    return OwnerCounts(entities, len(state.records))
