"""The head of an owner: the number of the last change, and the lock of all writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Engine, literal_column, select
from sqlalchemy.dialects import postgresql

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Session, Statement
from taskservice.adapters.sql.connection.sessions import (
    IsTransactionCommitted,
    session_transaction,
    transaction,
)
from taskservice.adapters.sql.tables import heads

_ZERO: ColumnElement[int] = literal_column("0")
_LOCK = Statement(select(heads.c.seq).where(heads.c.user_id == OWNER).with_for_update())
_ADD = Statement(postgresql.insert(heads).values(user_id=OWNER, seq=_ZERO).on_conflict_do_nothing())


def lock_head(session: Session) -> None:
    """Wait until no other transaction is open that has written; on SQLite writes take turns.

    In a transaction the lock stays until its end.
    """
    if session.is_postgresql and not _LOCK.rows(session):
        add_head(session)
        _LOCK.rows(session)


@contextmanager
def owner_transaction(
    engine: Engine, owner: str, is_committed: IsTransactionCommitted | None = None
) -> Iterator[Session]:
    """Yield a session in one transaction of an owner, in which no other one writes."""
    with transaction(engine, owner, is_committed) as connection:
        session = Session(connection, owner)
        lock_head(session)
        yield session


@contextmanager
def locked_transaction(session: Session) -> Iterator[Session]:
    """Yield a session for one transaction, in which the owner's head is locked."""
    with session_transaction(session) as locked:
        lock_head(locked)
        yield locked


def add_head(session: Session) -> None:
    """Let the numbers of an owner begin, who has entities of a time before the log."""
    if session.is_postgresql:
        _ADD.count(session)
