"""One owner's receipts in a SQL database, in the transaction of what they are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Executable, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.failures import key_in_use
from taskservice.adapters.sql.tables import receipts
from taskservice.core.clock import Clock
from taskservice.core.receipts import Receipt
from taskservice.core.task import Task

_own_key = (receipts.c.user_id == bindparam("owner"), receipts.c.key == bindparam("used_key"))

_CLAIM: dict[str, Executable] = {
    "postgresql": postgresql.insert(receipts).on_conflict_do_nothing().returning(receipts.c.key),
    "sqlite": sqlite.insert(receipts).on_conflict_do_nothing().returning(receipts.c.key),
}
_FIND = select(receipts.c.digest, receipts.c.task).where(*_own_key)
_SETTLE = update(receipts).where(*_own_key).values(task=bindparam("result", type_=JSON))
EXPIRED = delete(receipts).where(receipts.c.created_at < bindparam("until"))


class OwnReceipts:
    """The `Receipts` of `owner`, on the connection that `connect` gives."""

    def __init__(
        self,
        owner: str,
        connect: Callable[[], AbstractContextManager[Connection]],
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._connect = connect
        self._clock = clock
        self._settled: dict[str, Task | None] = {}

    def claim(self, key: str, digest: bytes) -> Receipt | None:
        """Insert the key: a transaction that has inserted it and not ended yet is waited for."""
        row = {"user_id": self._owner, "key": key, "digest": digest, "created_at": self._clock()}
        with self._connect() as connection:
            with key_in_use():
                claimed = connection.execute(_CLAIM[connection.dialect.name], row).first()
            return None if claimed else self._find(connection, key)

    def settle(self, key: str, task: Task | None) -> None:
        """Write the result beside the key."""
        self._settled[key] = task
        with self._connect() as connection:
            connection.execute(_SETTLE, {**self._key(key), "result": task and _written(task)})

    def are_kept(self, connection: Connection) -> bool:
        """Tell whether each result that was written here is there, as `connection` sees it."""
        return all(
            found is not None and found.task == (task and _written(task))
            for key, task in self._settled.items()
            for found in [connection.execute(_FIND, self._key(key)).one_or_none()]
        )

    def _find(self, connection: Connection, key: str) -> Receipt:
        digest, task = connection.execute(_FIND, self._key(key)).one()
        return Receipt(digest=bytes(digest), task=task and _read(task))

    def _key(self, key: str) -> dict[str, str]:
        return {"owner": self._owner, "used_key": key}


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
