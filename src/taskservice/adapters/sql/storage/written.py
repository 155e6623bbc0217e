"""What a transaction wrote: shows whether it was committed, if COMMIT got no response."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from taskservice.adapters.sql.connection.sessions import OpenSession
from taskservice.adapters.sql.storage.idempotency import is_stored
from taskservice.adapters.sql.storage.log import is_logged_after_waiting
from taskservice.core.changes import Change


class Written:
    """The last change of a transaction, and the idempotency keys that it completed.

    `count` is the number of its changes, also of those that were undone.
    """

    def __init__(self) -> None:
        self.count = 0
        self.keys: list[str] = []
        self._last: Change | None = None

    def add(self, changes: Sequence[Change]) -> None:
        """Remember changes that were written, in their order."""
        self.count += len(changes)
        self._last = [self._last, *changes][-1]

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """Forget the changes that a block made if it raises."""
        last = self._last
        try:
            yield
        except BaseException:
            self._last = last
            raise

    def is_committed(self, open_session: OpenSession) -> bool:
        """Return whether it was committed, once the transaction has ended.

        The log has its last change. Only what changed nothing is known by its key.
        """
        with open_session() as session:
            if self._last is not None:
                return is_logged_after_waiting(session, self._last)
            return all(is_stored(session, key) for key in self.keys)
