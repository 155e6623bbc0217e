"""SQL of delta sync: changes with their entities, and entities in order, each in one snapshot."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Uuid,
    and_,
    bindparam,
    case,
    literal_column,
    select,
    true,
)

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Session, Statement
from taskservice.adapters.sql.storage.mapping import EntityMapping, mapping_of
from taskservice.adapters.sql.tables import changes, heads
from taskservice.core.changes import (
    Change,
    EntityPage,
    LogEntry,
    LogPage,
    LogState,
    NumberedChange,
    Origin,
    Position,
)
from taskservice.core.entity import Entity
from taskservice.core.workspace import ENTITY_TYPES

_columns = changes.c
_own = _columns.user_id == OWNER
_position = bindparam("position", type_=BigInteger())
_row_limit = bindparam("row_limit", type_=Integer())
_begins = bindparam("begins", type_=Boolean())
"""Whether a position is where the log begins."""
_one_row = select(literal_column("1").label("one")).subquery("one_row")


def _end(column: ColumnElement[Any], *, newest: bool) -> Any:
    """Return a column of the newest change, or of the oldest one."""
    order = _columns.seq.desc() if newest else _columns.seq
    return select(column).where(_own).order_by(order).limit(literal_column("1")).scalar_subquery()


def _id_at(number: ColumnElement[int]) -> Any:
    return select(_columns.id).where(_own, _columns.seq == number).scalar_subquery()


_STATE: list[ColumnElement[Any]] = [
    select(heads.c.seq).where(heads.c.user_id == OWNER).scalar_subquery().label("head"),
    # Behind pruned rows the oldest is slow to find, until they are vacuumed.
    case((_begins, _end(_columns.seq, newest=False))).label("oldest"),
    _end(_columns.seq, newest=True).label("newest"),
    _end(_columns.id, newest=True).label("newest_id"),
    _id_at(_position).label("position_id"),
    _id_at(bindparam("seen", type_=BigInteger())).label("seen_id"),
]

_page = (
    select(_columns.seq, _columns.id, _columns.kind, _columns.entity_id)
    .where(_own, _columns.seq > _position)
    .order_by(_columns.seq)
    .limit(_row_limit)
    .subquery("page")
)


_MAPPINGS = {one.type_name: mapping_of(one) for one in ENTITY_TYPES}
_FIRST_COLUMNS = accumulate(
    (len(one.field_columns) for one in _MAPPINGS.values()), initial=len(_STATE) + len(_page.c)
)
_SLICES = {
    name: slice(*ends) for name, ends in zip(_MAPPINGS, pairwise(_FIRST_COLUMNS), strict=True)
}
"""Where a row has the columns of each type."""


def _labeled(mapping: EntityMapping) -> list[ColumnElement[Any]]:
    prefix = mapping.table.name
    return [column.label(f"{prefix}_{column.name}") for column in mapping.field_columns]


def _is_changed(mapping: EntityMapping) -> ColumnElement[bool]:
    kind: ColumnElement[str] = literal_column(f"'{mapping.entity_type.type_name}'")
    return and_(mapping.is_own, mapping.table.c.id == _page.c.entity_id, _page.c.kind == kind)


def _joined() -> Statement:
    source: FromClause = _one_row.outerjoin(_page, true())
    for one in _MAPPINGS.values():
        source = source.outerjoin(one.table, _is_changed(one))
    entities = [column for one in _MAPPINGS.values() for column in _labeled(one)]
    return Statement(select(*_STATE, *_page.c, *entities).select_from(source))


def _lateral() -> Statement:
    """Return a query that finds each entity by its key; a join would read all of the owner's."""
    source: FromClause = _one_row.outerjoin(_page, true())
    entities: list[ColumnElement[Any]] = []
    for one in _MAPPINGS.values():
        found = select(*_labeled(one)).where(_is_changed(one)).limit(literal_column("1"))
        entity = found.correlate(_page).lateral(one.entity_type.type_name)
        source = source.outerjoin(entity, true())
        entities += entity.c
    return Statement(select(*_STATE, *_page.c, *entities).select_from(source))


def _listing(mapping: EntityMapping) -> Statement:
    after = bindparam("after", type_=Uuid())
    found = select(*mapping.field_columns).where(mapping.is_own, mapping.table.c.id > after)
    page = found.order_by(mapping.table.c.id).limit(_row_limit).subquery("page")
    source = _one_row.outerjoin(page, true())
    return Statement(select(*_STATE, *page.c).select_from(source))


_SINCE = {"postgresql": _lateral(), "sqlite": _joined()}
_LISTINGS = {one.entity_type: _listing(one) for one in _MAPPINGS.values()}

_OF_ENTITY = Statement(
    select(
        *(_columns.seq, _columns.id, _columns.type, _columns.kind, _columns.entity_id),
        *(_columns.version, _columns.at, _columns.previous, _columns.client, _columns.request_id),
    )
    .where(_own, _columns.entity_id == bindparam("entity_id", type_=Uuid()))
    .where(_columns.seq < bindparam("before", type_=BigInteger()))
    .limit(_row_limit),
    order_by=lambda columns: [columns.seq.desc()],
)
_NO_END = 2**63 - 1

Read = Callable[[Callable[[Session], list[Sequence[Any]]]], list[Sequence[Any]]]
"""Runs a query in a session of the owner."""


class SqlChangeLog:
    """One owner's `ChangeLog`."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        """Return the changes, each with its entity, in one round trip."""
        values = {**_positions(position, seen), "row_limit": limit}

        def query(session: Session) -> list[Sequence[Any]]:
            return _SINCE[session.connection.dialect.name].rows(session, **values)

        state, rows = _read_state(self._read(query), position, seen)
        entries = [_entry(row) for row in rows]
        return LogPage(sorted(entries, key=lambda one: one.position), state.end)

    def entities(
        self, entity_type: type[Entity], after: UUID, seen: Position | None, limit: int
    ) -> EntityPage:
        """Return the entities, in one round trip."""
        values = {**_positions(seen, seen), "after": after, "row_limit": limit}
        found = self._read(lambda session: _LISTINGS[entity_type].rows(session, **values))
        state, rows = _read_state(found, seen, seen)
        from_row = mapping_of(entity_type).from_row
        entities = [from_row(row[len(_STATE) :]) for row in rows]
        return EntityPage(sorted(entities, key=lambda one: one.id), state.end)

    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        """Return the changes, in one round trip."""
        end = _NO_END if before is None else before
        values = {"entity_id": entity_id, "before": end, "row_limit": limit}
        found = self._read(lambda session: _OF_ENTITY.rows(session, **values))
        return [_numbered(row) for row in found]


def _numbered(row: Sequence[Any]) -> NumberedChange:
    sequence, change_id, change_type, kind, entity_id, version, at, previous, *origin = row
    # SQLite has no type of JSON.
    previous = orjson.loads(previous) if isinstance(previous, str) else previous
    change = Change(change_id, change_type, kind, entity_id, version, at, previous, Origin(*origin))
    return NumberedChange(sequence, change)


def _positions(position: Position | None, seen: Position | None) -> dict[str, Any]:
    """Return the parameters of the positions that a query looks for."""
    known = [one for one in (position, seen) if one is not None]
    return {
        "position": position.sequence if position else 0,
        "seen": seen.sequence if seen else 0,
        "begins": any(not one.mark for one in known),
    }


def _read_state(
    rows: list[Sequence[Any]], *positions: Position | None
) -> tuple[LogState, list[Sequence[Any]]]:
    """Return the state of the log, and the rows with more than that. Raises `SyncExpired`."""
    head, oldest, newest, newest_id, *ids = rows[0][: len(_STATE)]
    state = LogState(head or 0, oldest, Position.of(newest, newest_id) if newest else None)
    for position, found in zip(positions, ids, strict=True):
        if position is not None:
            state.require(position, found)
    return state, [row for row in rows if row[len(_STATE)] is not None]


def _entry(row: Sequence[Any]) -> LogEntry:
    """Return a change. Its entity is gone if the columns of its type are null.

    A later version may have types that this one does not know.
    """
    sequence, change_id, kind, entity_id = row[len(_STATE) : len(_STATE) + len(_page.c)]
    columns = row[_SLICES.get(kind, slice(0))]
    entity = _MAPPINGS[kind].from_row(columns) if any(columns[:1]) else None
    return LogEntry(Position.of(sequence, change_id), kind, entity_id, entity)
