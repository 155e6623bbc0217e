"""Change log check: whether the numbers of users' changes have gaps."""

from typing import NamedTuple

from sqlalchemy import Engine, bindparam, func, select

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.tables import changes

SAMPLE_SIZE = 100
"""How many users' changes are counted."""

_own = changes.c.user_id == bindparam("owner")
_OWNERS = select(changes.c.user_id).distinct().order_by(changes.c.user_id).limit(SAMPLE_SIZE)
_COUNT = select(func.count(), func.min(changes.c.seq), func.max(changes.c.seq)).where(_own)


class LogSample(NamedTuple):
    """How many users were looked at, and those whose numbers have gaps."""

    users: int
    with_gaps: list[str]


def sample_change_log(engine: Engine) -> LogSample:
    """Look at the users whose changes the role sees. Raise `Unavailable`.

    On PostgreSQL only the role that migrated sees any: those older than 8 days.
    """
    with translate_errors(), engine.connect() as connection:
        owners = connection.execute(_OWNERS).scalars().all()
    return LogSample(len(owners), [owner for owner in owners if _has_gap(engine, owner)])


def _has_gap(engine: Engine, owner: str) -> bool:
    """Return whether the changes are not one for each number from the oldest to the newest."""
    with transaction(engine, owner) as connection:
        count, oldest, newest = connection.execute(_COUNT, {"owner": owner}).one()
    return bool(count) and count != newest - oldest + 1
