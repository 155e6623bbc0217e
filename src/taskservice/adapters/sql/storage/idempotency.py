"""Idempotency records of one owner, stored in the transaction of the request that they are for."""

from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Session, Statement
from taskservice.adapters.sql.connection.errors import translate_lock_timeout
from taskservice.adapters.sql.connection.sessions import OpenSession
from taskservice.adapters.sql.storage.retryable_writes import NO_ROW_WRITTEN
from taskservice.adapters.sql.tables import idempotency_keys
from taskservice.core.clock import Clock
from taskservice.core.errors import Unavailable
from taskservice.core.idempotency import IdempotencyRecord

_columns = idempotency_keys.c
_own_key = and_(_columns.user_id == OWNER, _columns.key == bindparam("used_key"))
_new_values: dict[str, Any] = {
    name: bindparam(name) for name in ("key", "fingerprint", "created_at")
}


def _begin(insert: Any) -> Statement:
    """Return the statement that inserts a key, and returns the key if it was new."""
    row = insert.values(user_id=OWNER, **_new_values)
    return Statement(row.on_conflict_do_nothing().returning(_columns.key))


_BEGIN = {
    "postgresql": _begin(postgresql.insert(idempotency_keys)),
    "sqlite": _begin(sqlite.insert(idempotency_keys)),
}
_FIND = Statement(select(_columns.fingerprint, _columns.result).where(_own_key))
_COMPLETE = Statement(update(idempotency_keys).where(_own_key).values(result=bindparam("stored")))
DELETE_EXPIRED = delete(idempotency_keys).where(_columns.created_at < bindparam("cutoff"))


class SqlIdempotencyStore:
    """The `IdempotencyStore` of one owner."""

    def __init__(self, open_session: OpenSession, clock: Clock) -> None:
        self._open_session = open_session
        self._clock = clock
        self._completed: dict[str, bytes] = {}

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Insert the key, after waiting for any transaction that has inserted it and is open."""
        values = {"key": key, "fingerprint": fingerprint, "created_at": self._clock()}
        with self._open_session() as session:
            with translate_lock_timeout():
                is_new = _BEGIN[session.connection.dialect.name].rows(session, **values)
            return None if is_new else _find(session, key)

    def complete(self, key: str, result: bytes) -> None:
        """Store the result of the key's request."""
        self._completed[key] = result
        with self._open_session() as session:
            if _COMPLETE.count(session, used_key=key, stored=result) != 1:
                raise Unavailable(NO_ROW_WRITTEN)

    @property
    def is_used(self) -> bool:
        """Whether a result was stored here."""
        return bool(self._completed)

    def is_committed(self, session: Session) -> bool:
        """Return whether `session` sees every result that was stored here."""
        return all(_result(session, key) == result for key, result in self._completed.items())


def _find(session: Session, key: str) -> IdempotencyRecord:
    ((fingerprint, result),) = _FIND.rows(session, used_key=key)
    return IdempotencyRecord(fingerprint=bytes(fingerprint), result=bytes(result))


def _result(session: Session, key: str) -> bytes | None:
    """Return the stored result of `key`, None without a record."""
    for _, result in _FIND.rows(session, used_key=key):
        return bytes(result)
    return None
