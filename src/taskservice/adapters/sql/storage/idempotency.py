"""Idempotency records of one owner, stored in the transaction of the request that they are for."""

from contextlib import suppress
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Session, Statement
from taskservice.adapters.sql.connection.errors import translate_lock_timeout
from taskservice.adapters.sql.connection.sessions import OpenSession, session_transaction
from taskservice.adapters.sql.storage.retryable_writes import NO_ROW_WRITTEN
from taskservice.adapters.sql.tables import idempotency_keys
from taskservice.core.clock import Clock, system_clock
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
    """The `IdempotencyStore` of one owner. The keys that it completes are added to `completed`."""

    def __init__(self, open_session: OpenSession, clock: Clock, completed: list[str]) -> None:
        self._open_session = open_session
        self._clock = clock
        self._completed = completed

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Insert the key, after waiting for any transaction that has inserted it and is open."""
        values = {"key": key, "fingerprint": fingerprint, "created_at": self._clock()}
        with self._open_session() as session:
            with translate_lock_timeout():
                is_new = _BEGIN[session.connection.dialect.name].rows(session, **values)
            return None if is_new else _find(session, key)

    def complete(self, key: str, result: bytes) -> None:
        """Store the result of the key's request."""
        with self._open_session() as session:
            if _COMPLETE.count(session, used_key=key, stored=result) != 1:
                raise Unavailable(NO_ROW_WRITTEN)
        self._completed.append(key)


class _RolledBack(Exception):
    """Ends a transaction that must not be committed."""


def is_stored(session: Session, key: str) -> bool:
    """Return whether a key was committed, once the transaction that began it has ended.

    Beginning the key again waits for that, and is rolled back.
    """
    values = {"key": key, "fingerprint": b"", "created_at": system_clock()}
    with suppress(_RolledBack), session_transaction(session) as trial:
        is_new = bool(_BEGIN[trial.connection.dialect.name].rows(trial, **values))
        raise _RolledBack
    return not is_new


def _find(session: Session, key: str) -> IdempotencyRecord:
    ((fingerprint, result),) = _FIND.rows(session, used_key=key)
    return IdempotencyRecord(fingerprint=bytes(fingerprint), result=bytes(result))
