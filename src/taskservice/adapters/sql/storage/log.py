"""The change log in SQL: each write takes the next number of its owner, and logs its change.

Every write locks the owner's row in `heads` first, and holds it to the end of the
transaction. So changes are committed in the order of their numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    FromClause,
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
    Executable,
    Session,
    Statement,
)
from taskservice.adapters.sql.connection.sessions import local_transaction
from taskservice.adapters.sql.storage.heads import lock_head
from taskservice.adapters.sql.tables import changes, heads
from taskservice.core.changes import Change, kind_of

_ONE: ColumnElement[int] = literal_column("1")
_own_head = heads.c.user_id == OWNER
_next_number = {"seq": heads.c.seq + _ONE}
_HEAD = ["user_id", "seq"]


Values = Mapping[str, ColumnElement[Any]]
"""The value of each column of a row."""

_row: dict[str, Any] = {
    column.name: bindparam(f"change_{column.name}", type_=column.type) for column in changes.c
} | {"user_id": OWNER, "previous": bindparam("change_previous", type_=Text())}
"""The values of a change: parameters, and the owner."""

CHANGE_TIME: ColumnElement[datetime] = _row["at"]
"""The parameter that is the time of a change."""

_scrub = (
    update(changes)
    .where(changes.c.user_id == OWNER, changes.c.entity_id == _row["entity_id"])
    .where(changes.c.previous.is_not(None))
    .values(previous=null())
)


class LoggedWrite:
    """A write of one row, and its change in the log: both or neither.

    On PostgreSQL it is one statement, `logged`, which sets the owner itself if the argument
    is true. On SQLite the `local` ones are a transaction; the first tells whether there was
    a row. Raise SQLAlchemy's `DBAPIError`.
    """

    def __init__(self, logged: Callable[[bool], Insert], *local: Executable) -> None:
        self._logged = Statement(logged(False), direct=logged(True))
        self._local = [Statement(one) for one in local]

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
        first, *others = self._local
        if first.count(session, **parameters) != 1:
            return 0
        for other in others:
            other.count(session, **parameters)
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


def logged_insert(table: Table, new_row: Values, change_type: str) -> LoggedWrite:
    """Return the INSERT of a row, a value for each column."""

    def logged(sets_owner: bool) -> Insert:
        first = select(OWNER, _ONE).where(*_owner_is_set(sets_owner))
        head = _take_number(postgresql.insert(heads).from_select(_HEAD, first)).cte("head")
        done = _inserted(_insert_from(table, new_row, head))
        return _log(head, done, kind_of(change_type), change_type)

    return LoggedWrite(logged, insert(table).values(new_row))


def logged_update(write: Update, kind: str) -> LoggedWrite:
    """Return the UPDATE of a row. If there is none, no number is taken."""

    def logged(sets_owner: bool) -> Insert:
        done = _locked(write, sets_owner)
        return _log(_next_head(done), done, kind)

    return LoggedWrite(logged, write)


def logged_delete(write: Delete, change_type: str) -> LoggedWrite:
    """Return the DELETE of a row, after which the log has none of its values."""

    def logged(sets_owner: bool) -> Insert:
        done = _locked(write, sets_owner)
        scrub = _scrub.where(_is_found(done.c.id)).cte("scrub")
        logged = _log(_next_head(done), done, kind_of(change_type), change_type)
        return logged.add_cte(scrub)

    return LoggedWrite(logged, write, _scrub)


def logged_move(
    write: Delete, to: Table, row: Callable[[Any], Values], kind: str, change_type: str = ""
) -> LoggedWrite:
    """Return the DELETE of a row, and the INSERT of one into another table.

    `row` returns its values, which may be columns of the deleted row. Without a type, that of
    the change is a parameter, as its previous values are.
    """
    table: Any = write.table
    copy = _insert_from(to, row(table.c), table, write.whereclause)

    def logged(sets_owner: bool) -> Insert:
        done = _locked(write, sets_owner, *table.c)
        moved = _inserted(_insert_from(to, row(done.c), done))
        return _log(_next_head(moved), moved, kind, change_type)

    return LoggedWrite(logged, copy, write)


def _owner_is_set(sets_owner: bool) -> list[ColumnElement[bool]]:
    return [OWNER_IS_SET] if sets_owner else []


def _locked(write: Any, sets_owner: bool, *columns: ColumnElement[Any]) -> CTE:
    """Return a write that locks the head of the owner first; it returns id and version.

    A condition on a scalar subquery alone is evaluated before the table is read. So the parts
    of the statement pull one another in this order: owner, lock, write, number, log.
    """
    lock = select(heads.c.seq).where(_own_head, *_owner_is_set(sets_owner))
    held = lock.with_for_update().cte("held")
    returned = columns or (write.table.c.id, write.table.c.version)
    done: CTE = write.where(_is_found(held.c.seq)).returning(*returned).cte("done")
    return done


def _insert_from(table: Table, row: Values, source: FromClause, *where: Any) -> Insert:
    return insert(table).from_select(
        [*row], select(*row.values()).select_from(source).where(*where)
    )


def _inserted(write: Insert) -> CTE:
    """Return an INSERT that returns id and version."""
    table: Any = write.table
    return write.returning(table.c.id, table.c.version).cte("inserted")


def _next_head(done: CTE) -> CTE:
    """Return the next number of an owner, if the write found a row."""
    number = update(heads).where(_own_head, _is_found(done.c.id)).values(_next_number)
    return number.returning(heads.c.seq).cte("head")


def _is_found(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(column).scalar_subquery().is_not(None)


def _take_number(insert_first: Any) -> Any:
    """Return the statement that takes the next number of an owner, who may have none yet."""
    upsert = insert_first.on_conflict_do_update(index_elements=["user_id"], set_=_next_number)
    return upsert.returning(heads.c.seq)


def _log(head: CTE, done: CTE, kind: str, change_type: str = "") -> Insert:
    """Return the INSERT of a change with the number of `head`, of the row that is `done`.

    Each parameter costs time, so the type of a creation or removal is none.
    """
    row = {
        **_row,
        "seq": head.c.seq,
        "kind": literal_column(f"'{kind}'"),
        "entity_id": done.c.id,
        "version": done.c.version,
        "previous": null() if change_type else cast(_row["previous"], JSONB),
    }
    if change_type:
        row["type"] = literal_column(f"'{change_type}'")
    return insert(changes).from_select([*row], select(*row.values()).select_from(head, done))


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
