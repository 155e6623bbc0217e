"""The in-memory storage adapter, for tests and development. Its data ends with the process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Generic
from uuid import UUID

from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Entity, Step
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.ids import NewId, TimeOrderedIds
from taskservice.core.labels import LabelCount, count_labels
from taskservice.core.owner_data import OwnerCounts, OwnerData
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import Task
from taskservice.core.workspace import ENTITY_TYPES, Workspace


@dataclass(frozen=True)
class _OwnerState:
    """All data of one owner: entities by type and id, records by key."""

    entities: dict[type[Entity], dict[UUID, Any]] = field(
        default_factory=lambda: {entity_type: {} for entity_type in ENTITY_TYPES}
    )
    records: dict[str, IdempotencyRecord] = field(default_factory=dict)

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

        return Workspace(repository, _OwnerIdempotencyStore(begin))

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
        with self._entities() as entities:
            entity = self._type.create(self._owner, self._clock(), self._new_id, new)
            entities[entity.id] = entity
            return entity

    def get(self, entity_id: UUID) -> E:
        with self._entities() as entities:
            return self._find(entities, entity_id)

    def list(self, query: Query[E]) -> Page[E]:
        with self._entities() as entities:
            return query.page(entities.values())

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        with self._entities() as entities:
            entities[entity_id] = step(self._find(entities, entity_id), self._clock())
            return entities[entity_id]

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        with self._entities() as entities:
            entity = self._find(entities, entity_id)
            if precondition:
                precondition(entity)
            del entities[entity_id]

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

    def import_entities(self, entities: Sequence[Entity]) -> list[Entity]:
        with self._begin() as state:
            for entity in entities:
                if entity.user_id == self._owner:
                    state.entities[type(entity)].setdefault(entity.id, entity)
            return [one for one in entities if state.entities[type(one)].get(one.id) != one]

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


def _counts(state: _OwnerState) -> OwnerCounts:
    entities = {one.type_name: len(stored) for one, stored in state.entities.items()}
    return OwnerCounts(entities, len(state.records))
