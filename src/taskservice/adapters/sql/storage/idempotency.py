"""One owner's receipts in a SQL database, in the transaction of what they are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.errors import translate_lock_timeout
from taskservice.adapters.sql.connection.statements import OWNER, Session, Statement
from taskservice.adapters.sql.storage.rows import NOTHING_WRITTEN
from taskservice.adapters.sql.tables import idempotency_records
from taskservice.core.clock import Clock
from taskservice.core.errors import Unavailable
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.task import Task

_own = and_(
    idempotency_records.c.user_id == OWNER, idempotency_records.c.key == bindparam("used_key")
)
_given: dict[str, Any] = {name: bindparam(name) for name in ("key", "digest", "created_at")}


def _begin(insert: Any) -> Statement:
    """Return the statement that inserts a key, and returns it where it was free."""
    row = insert.values(user_id=OWNER, **_given)
    return Statement(row.on_conflict_do_nothing().returning(idempotency_records.c.key))


_BEGIN = {
    "postgresql": _begin(postgresql.insert(idempotency_records)),
    "sqlite": _begin(sqlite.insert(idempotency_records)),
}
_FIND = Statement(select(idempotency_records.c.digest, idempotency_records.c.task).where(_own))
_COMPLETE = Statement(update(idempotency_records).where(_own).values(task=bindparam("result")))
EXPIRED = delete(idempotency_records).where(idempotency_records.c.created_at < bindparam("until"))


class SqlIdempotencyStore:
    """The `IdempotencyStore` of one owner, in the sessions that `opened` gives."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Session]], clock: Clock) -> None:
        self._opened = opened
        self._clock = clock
        self._settled: dict[str, Task | None] = {}

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Insert the key: a transaction that has inserted it and not ended yet is waited for."""
        with self._opened() as session:
            begin = _BEGIN[session.connection.dialect.name]
            with translate_lock_timeout():
                begun = begin.rows(session, key=key, digest=fingerprint, created_at=self._clock())
            return None if begun else _found(session, key)

    def complete(self, key: str, task: Task | None) -> None:
        """Write the result beside the key."""
        self._settled[key] = task
        with self._opened() as session:
            result = task and _written(task)
            if _COMPLETE.count(session, used_key=key, result=result) != 1:
                raise Unavailable(NOTHING_WRITTEN)

    def is_committed(self, session: Session) -> bool:
        """Tell whether each result that was written here is there, as `session` sees it."""
        return all(
            [written for _, written in _FIND.rows(session, used_key=key)]
            == [task and _written(task)]
            for key, task in self._settled.items()
        )


def _found(session: Session, key: str) -> IdempotencyRecord:
    ((fingerprint, task),) = _FIND.rows(session, used_key=key)
    return IdempotencyRecord(fingerprint=bytes(fingerprint), task=task and _read(task))


def _written(task: Task) -> dict[str, Any]:
    """Return `task` as JSON can hold it."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in vars(task).items()
    } | {"id": str(task.id)}


def _read(written: dict[str, Any]) -> Task:
    times = {
        name: value and datetime.fromisoformat(value)
        for name, value in written.items()
        if name.endswith("_at")
    }
    return Task(**{**written, **times, "id": UUID(written["id"])})
