"""Bugs of the change log and of delta sync; see `seeded`."""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import cast, insert
from sqlalchemy.dialects.postgresql import JSONB

from taskservice.adapters.http.api import sync_tokens
from taskservice.adapters.sql.connection.compiled_statements import Session, Statement
from taskservice.adapters.sql.connection.sessions import INTRANS
from taskservice.adapters.sql.storage.log import LoggedWrite, _parameters, _row
from taskservice.adapters.sql.tables import changes
from taskservice.core.changes import Change
from taskservice.core.sync import SyncState

LONG = 0.1


def numbered_early(
    write: LoggedWrite, session: Session, change: Change, values: Mapping[str, Any]
) -> int:
    """Take the number, and give the lock back; then write and log."""
    if _is_in_transaction(session):
        return COUNT(write, session, change, values)
    with _transaction(session) as driver:
        ((number,),) = driver.execute(NEXT_NUMBER, [session.owner])
    time.sleep(random.uniform(0, LONG))  # noqa: S311
    with _transaction(session):
        return _write_and_log(write, session, {**values, **_parameters(change)}, number)


def logged_later(
    write: LoggedWrite, session: Session, change: Change, values: Mapping[str, Any]
) -> int:
    """Write and commit; then take the number and log."""
    if _is_in_transaction(session):
        return COUNT(write, session, change, values)
    parameters = {**values, **_parameters(change)}
    count = write._local[0].count(session, **parameters)
    time.sleep(LONG)
    if count:
        with _transaction(session) as driver:
            ((number,),) = driver.execute(NEXT_NUMBER, [session.owner])
            LOG.count(session, **parameters, change_seq=number)
    return count


def _write_and_log(
    write: LoggedWrite, session: Session, parameters: Mapping[str, Any], number: int
) -> int:
    if not write._local[0].count(session, **parameters):
        return 0
    return LOG.count(session, **parameters, change_seq=number)


def _is_in_transaction(session: Session) -> bool:
    driver: Any = session.connection.connection.driver_connection
    return bool(driver.info.transaction_status == INTRANS)


@contextmanager
def _transaction(session: Session) -> Iterator[Any]:
    """Yield the driver's connection in a transaction of the owner."""
    driver: Any = session.connection.connection.driver_connection
    with driver.transaction():
        driver.execute("SELECT set_config('taskservice.owner', %s, true)", [session.owner])
        yield driver


COUNT = LoggedWrite.count
LOG = Statement(insert(changes).values(_row | {"previous": cast(_row["previous"], JSONB)}))
NEXT_NUMBER = (
    "INSERT INTO heads (user_id, seq) VALUES (%s, 1) "
    "ON CONFLICT (user_id) DO UPDATE SET seq = heads.seq + 1 RETURNING seq"
)


def without_seen(owner: str, state: SyncState) -> str:
    """Return the token of a state, but for how late what the client holds may be."""
    return ENCODE(owner, state._replace(seen=state.position))


ENCODE = sync_tokens.encode
