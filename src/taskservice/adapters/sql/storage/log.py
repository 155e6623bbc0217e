"""The change log in SQL: each write takes the next number of its owner, and logs its change.

Every write locks the owner's row in `heads` first, and holds it to the end of the
transaction. So changes are committed in the order of their numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    Insert,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB

from taskservice.adapters.sql.connection.compiled_statements import (
    OWNER,
    OWNER_IS_SET,
    Session,
    Statement,
)
from taskservice.adapters.sql.connection.sessions import local_transaction
from taskservice.adapters.sql.storage.heads import lock_head
from taskservice.adapters.sql.tables import changes, heads
from taskservice.core.changes import Change

_ONE: ColumnElement[int] = literal_column("1")
_own_head = heads.c.user_id == OWNER
_next_number = {"seq": heads.c.seq + _ONE}
_HEAD = ["user_id", "seq"]


_row: dict[str, Any] = {
    column.name: bindparam(f"change_{column.name}", type_=column.type) for column in changes.c
} | {"user_id": OWNER, "previous": bindparam("change_previous", type_=Text())}
"""The values of a change: parameters, and the owner."""

_scrub = (
    update(changes)
    .where(changes.c.user_id == OWNER, changes.c.entity_id == _row["entity_id"])
    .where(changes.c.previous.is_not(None))
    .values(previous=null())
)


class LoggedWrite:
    """A write of one row, and its change in the log: both or neither.

    On PostgreSQL it is one statement, `logged`, which sets the owner itself if the argument
    is true. On SQLite `write` is part of a transaction. Raise SQLAlchemy's `DBAPIError`.
    """

    def __init__(self, write: Insert | Update | Delete, logged: Callable[[bool], Insert]) -> None:
        self._write = Statement(write)
        self._logged = Statement(logged(False), direct=logged(True))
        self._is_removal = isinstance(write, Delete)

    def count(self, session: Session, change: Change, values: Mapping[str, Any]) -> int:
        """Return the number of rows written, 0 or 1."""
        parameters = {**values, **_parameters(change)}
        if session.is_postgresql:
            return self._logged.count(session, **parameters)
        with local_transaction(session):
            return self._count_locally(session, parameters)

    def count_all(
        self, session: Session, writes: Sequence[tuple[Change, Mapping[str, Any]]]
    ) -> int:
        """Write several rows in this order, in a transaction; return the number of rows."""
        parameters = [{**values, **_parameters(change)} for change, values in writes]
        if session.is_postgresql:
            return self._logged.count_all(session, parameters)
        return sum(self._count_locally(session, one) for one in parameters)

    def _count_locally(self, session: Session, parameters: Mapping[str, Any]) -> int:
        if self._write.count(session, **parameters) != 1:
            return 0
        if self._is_removal:
            _LOCAL_SCRUB.count(session, **parameters)
        ((number,),) = _LOCAL_NUMBER.rows(session)
        return _LOCAL_LOG.count(session, **parameters, change_seq=number)


def _parameters(change: Change) -> dict[str, Any]:
    previous = change.previous
    return {
        "change_id": change.id,
        "change_type": change.type,
        "change_kind": change.kind,
        "change_entity_id": change.entity_id,
        "change_version": change.version,
        "change_at": change.at,
        "change_previous": None if previous is None else orjson.dumps(previous).decode(),
        "change_client": change.origin.client,
        "change_request_id": change.origin.request_id,
    }


def logged_insert(table: Table, new_row: Mapping[str, Any]) -> LoggedWrite:
    """Return the INSERT of a row, a value for each column."""

    def logged(sets_owner: bool) -> Insert:
        first = select(OWNER, _ONE).where(*_owner_is_set(sets_owner))
        head = _take_number(postgresql.insert(heads).from_select(_HEAD, first)).cte("head")
        row = select(*new_row.values()).select_from(head)
        done = insert(table).from_select([*new_row], row)
        returned = done.returning(table.c.id, table.c.version).cte("done")
        return _log(table, head, returned, "created")

    return LoggedWrite(insert(table).values(new_row), logged)


def logged_change(write: Update | Delete) -> LoggedWrite:
    """Return the UPDATE or DELETE of a row. If there is none, no number is taken."""
    table: Any = write.table
    is_removal = isinstance(write, Delete)

    def logged(sets_owner: bool) -> Insert:
        # A condition on a scalar subquery alone is evaluated before the table is read. So the
        # parts pull one another in this order: owner, lock, write, number, log.
        lock = select(heads.c.seq).where(_own_head, *_owner_is_set(sets_owner))
        held = lock.with_for_update().cte("held")
        written = write.where(_is_found(held.c.seq)).returning(table.c.id, table.c.version)
        done = written.cte("done")
        number = update(heads).where(_own_head, _is_found(done.c.id)).values(_next_number)
        head = number.returning(heads.c.seq).cte("head")
        if not is_removal:
            return _log(table, head, done)
        scrub = _scrub.where(_is_found(done.c.id)).cte("scrub")
        return _log(table, head, done, "removed").add_cte(scrub)

    return LoggedWrite(write, logged)


def _owner_is_set(sets_owner: bool) -> list[ColumnElement[bool]]:
    return [OWNER_IS_SET] if sets_owner else []


def _is_found(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(column).scalar_subquery().is_not(None)


def _take_number(insert_first: Any) -> Any:
    """Return the statement that takes the next number of an owner, who may have none yet."""
    upsert = insert_first.on_conflict_do_update(index_elements=["user_id"], set_=_next_number)
    return upsert.returning(heads.c.seq)


def _log(table: Table, head: CTE, done: CTE, name: str = "") -> Insert:
    """Return the INSERT of a change with the number of `head`, of the row that is `done`.

    Each parameter costs time, so the name of a creation or removal is none.
    """
    kind = table.name.removesuffix("s")
    row = {
        **_row,
        "seq": head.c.seq,
        "kind": literal_column(f"'{kind}'"),
        "entity_id": done.c.id,
        "version": done.c.version,
        "previous": null() if name else cast(_row["previous"], JSONB),
    }
    if name:
        row["type"] = literal_column(f"'{kind}.{name}'")
    return insert(changes).from_select([*row], select(*row.values()).select_from(head, done))


_LOCAL_SCRUB = Statement(_scrub)
_LOCAL_NUMBER = Statement(_take_number(sqlite.insert(heads).values(user_id=OWNER, seq=_ONE)))
_LOCAL_LOG = Statement(insert(changes).values(_row))
_FIND = Statement(
    select(changes.c.seq).where(
        changes.c.user_id == OWNER,
        changes.c.entity_id == _row["entity_id"],
        changes.c.id == _row["id"],
    )
)


def is_logged(session: Session, change: Change) -> bool:
    """Return whether a change was committed: whether the log has it."""
    found = _FIND.rows(session, change_entity_id=change.entity_id, change_id=change.id)
    return bool(found)


def is_logged_after_waiting(session: Session, change: Change) -> bool:
    """Return whether a change was committed, once the transaction that made it has ended."""
    if is_logged(session, change):
        return True
    lock_head(session)
    return is_logged(session, change)
