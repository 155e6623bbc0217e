"""Idempotency records of one owner, stored in the transaction of the write that they are for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Session, Statement
from taskservice.adapters.sql.connection.errors import translate_lock_timeout
from taskservice.adapters.sql.connection.sessions import OpenSession
from taskservice.adapters.sql.storage.rows import NO_ROW_WRITTEN
from taskservice.adapters.sql.tables import idempotency_records
from taskservice.core.clock import Clock
from taskservice.core.errors import Unavailable
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.task import Task

_own_key = and_(
    idempotency_records.c.user_id == OWNER, idempotency_records.c.key == bindparam("used_key")
)
_new_values: dict[str, Any] = {name: bindparam(name) for name in ("key", "digest", "created_at")}


def _begin(insert: Any) -> Statement:
    """Return the statement that inserts a key, and returns the key if it was new."""
    row = insert.values(user_id=OWNER, **_new_values)
    return Statement(row.on_conflict_do_nothing().returning(idempotency_records.c.key))


_BEGIN = {
    "postgresql": _begin(postgresql.insert(idempotency_records)),
    "sqlite": _begin(sqlite.insert(idempotency_records)),
}
_FIND = Statement(select(idempotency_records.c.digest, idempotency_records.c.task).where(_own_key))
_COMPLETE = Statement(update(idempotency_records).where(_own_key).values(task=bindparam("result")))
DELETE_EXPIRED = delete(idempotency_records).where(
    idempotency_records.c.created_at < bindparam("cutoff")
)


class SqlIdempotencyStore:
    """The `IdempotencyStore` of one owner."""

    def __init__(self, open_session: OpenSession, clock: Clock) -> None:
        self._open_session = open_session
        self._clock = clock
        self._completed: dict[str, Task | None] = {}

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Insert the key, after waiting for any transaction that has inserted it and is open."""
        with self._open_session() as session:
            begin = _BEGIN[session.connection.dialect.name]
            with translate_lock_timeout():
                is_new = begin.rows(session, key=key, digest=fingerprint, created_at=self._clock())
            return None if is_new else _find(session, key)

    def complete(self, key: str, task: Task | None) -> None:
        """Store the result of the key's request."""
        self._completed[key] = task
        with self._open_session() as session:
            result = task and _to_json(task)
            if _COMPLETE.count(session, used_key=key, result=result) != 1:
                raise Unavailable(NO_ROW_WRITTEN)

    def is_committed(self, session: Session) -> bool:
        """Return whether `session` sees every result that was stored here."""
        return all(
            [stored for _, stored in _FIND.rows(session, used_key=key)] == [task and _to_json(task)]
            for key, task in self._completed.items()
        )


def _find(session: Session, key: str) -> IdempotencyRecord:
    ((fingerprint, task),) = _FIND.rows(session, used_key=key)
    return IdempotencyRecord(fingerprint=bytes(fingerprint), task=task and _from_json(task))


def _to_json(task: Task) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in vars(task).items()
    } | {"id": str(task.id)}


def _from_json(stored: dict[str, Any]) -> Task:
    timestamps = {
        name: value and datetime.fromisoformat(value)
        for name, value in stored.items()
        if name.endswith("_at")
    }
    return Task(**{**stored, **timestamps, "id": UUID(stored["id"])})
