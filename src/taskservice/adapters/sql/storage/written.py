"""What a transaction wrote: shows whether it was committed, if COMMIT got no response."""

from collections import deque

from taskservice.adapters.sql.connection.sessions import OpenSession
from taskservice.adapters.sql.storage.idempotency import is_stored
from taskservice.adapters.sql.storage.log import is_logged_after_waiting
from taskservice.core.changes import Change


class Written:
    """The last change of a transaction, and the idempotency keys that it completed."""

    def __init__(self) -> None:
        self.changes: deque[Change] = deque(maxlen=1)
        self.keys: list[str] = []

    def is_committed(self, open_session: OpenSession) -> bool:
        """Return whether it was committed, once the transaction has ended.

        The log has its last change. Only what changed nothing is known by its key.
        """
        with open_session() as session:
            if self.changes:
                return is_logged_after_waiting(session, self.changes[-1])
            return all(is_stored(session, key) for key in self.keys)
