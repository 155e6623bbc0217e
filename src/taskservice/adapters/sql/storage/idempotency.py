"""One owner's receipts in a SQL database, in the transaction of what they are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.errors import key_in_use
from taskservice.adapters.sql.connection.statements import OWNER, Session, Statement
from taskservice.adapters.sql.storage.rows import NOTHING_WRITTEN
from taskservice.adapters.sql.tables import receipts
from taskservice.core.clock import Clock
from taskservice.core.errors import Unavailable
from taskservice.core.idempotency import Receipt
from taskservice.core.task import Task

_own = and_(receipts.c.user_id == OWNER, receipts.c.key == bindparam("used_key"))
_given: dict[str, Any] = {name: bindparam(name) for name in ("key", "digest", "created_at")}


def _claim(insert: Any) -> Statement:
    """Return the statement that inserts a key, and returns it where it was free."""
    row = insert.values(user_id=OWNER, **_given)
    return Statement(row.on_conflict_do_nothing().returning(receipts.c.key))


_CLAIM = {
    "postgresql": _claim(postgresql.insert(receipts)),
    "sqlite": _claim(sqlite.insert(receipts)),
}
_FIND = Statement(select(receipts.c.digest, receipts.c.task).where(_own))
_SETTLE = Statement(update(receipts).where(_own).values(task=bindparam("result")))
EXPIRED = delete(receipts).where(receipts.c.created_at < bindparam("until"))


class OwnReceipts:
    """The `Receipts` of one owner, in the sessions that `opened` gives."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Session]], clock: Clock) -> None:
        self._opened = opened
        self._clock = clock
        self._settled: dict[str, Task | None] = {}

    def claim(self, key: str, digest: bytes) -> Receipt | None:
        """Insert the key: a transaction that has inserted it and not ended yet is waited for."""
        with self._opened() as session:
            claim = _CLAIM[session.connection.dialect.name]
            with key_in_use():
                claimed = claim.rows(session, key=key, digest=digest, created_at=self._clock())
            return None if claimed else _found(session, key)

    def settle(self, key: str, task: Task | None) -> None:
        """Write the result beside the key."""
        self._settled[key] = task
        with self._opened() as session:
            result = task and _written(task)
            if _SETTLE.count(session, used_key=key, result=result) != 1:
                raise Unavailable(NOTHING_WRITTEN)

    def are_kept(self, session: Session) -> bool:
        """Tell whether each result that was written here is there, as `session` sees it."""
        return all(
            [written for _, written in _FIND.rows(session, used_key=key)]
            == [task and _written(task)]
            for key, task in self._settled.items()
        )


def _found(session: Session, key: str) -> Receipt:
    ((digest, task),) = _FIND.rows(session, used_key=key)
    return Receipt(digest=bytes(digest), task=task and _read(task))


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
