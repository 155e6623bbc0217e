"""Writes whose answer from the database is lost on the wire: what is their client told?"""

from collections.abc import Callable, Iterator
from uuid import UUID

from tests.faults.clients import Client
from tests.faults.requests import Wish
from tests.tcp_proxy import Wire

COMMIT = b"COMMIT\0"
ANSWERS = 8
"""How many answers a probe loses: to four statements, and to four COMMITs."""


class Prober:
    """A client each of whose writes is done by a database whose answer never arrives.

    A write without a key is one statement; of one with a key, the answer to
    COMMIT is lost. It is asked for once: what it is told first, counts.
    """

    def __init__(self, client: Client, user: str, wire: Wire) -> None:
        self._client = client
        self._user = user
        self._wire = wire
        self.lost: list[str] = []

    def probe(self) -> None:
        """Lose one answer of each kind; an idle connection is not left, as it might be cut."""
        for wish, once_said, statement in self._probes():
            before = self._wire.lost
            self._wire.once_said, self._wire.lose_answer_to = once_said, statement
            self._client.ask(wish)
            self._wire.once_said, self._wire.lose_answer_to = b"", None
            if self._wire.lost > before:
                self.lost.append(wish.name)
        self._client.hang_up()

    def _probes(self) -> Iterator[tuple[Wish, bytes, bytes]]:
        """Yield wishes; what their connection has said before; what is not answered."""
        kinds: tuple[tuple[Callable[[str], Wish], bytes], ...] = (
            (self._creation, b"INSERT INTO tasks"),
            (self._update, b"UPDATE tasks"),
            (self._completion, b"UPDATE tasks"),
            (self._deletion, b"DELETE FROM tasks"),
        )
        for wished, statement in kinds:
            wish = wished(self._client.next_name())
            yield wish, _said(wish), statement
            name = self._client.next_name()
            yield wished(name)._replace(key=name), name.encode(), COMMIT

    def _creation(self, name: str) -> Wish:
        return Wish(name, "create", self._user, title=name, completed=False)

    def _update(self, name: str) -> Wish:
        return Wish(name, "update", self._user, self._task(), title=name)

    def _completion(self, name: str) -> Wish:
        return Wish(name, "complete", self._user, self._task(), completed=True)

    def _deletion(self, name: str) -> Wish:
        return Wish(name, "delete", self._user, self._task())

    def _task(self) -> str:
        """Return the id of a new task."""
        heard = self._client.ask(self._creation(self._client.next_name()))
        assert heard.outcome == "ok", heard
        return heard.seen[0].task


def _said(wish: Wish) -> bytes:
    """Return what only the statements of this wish hold: the task's id, or the new title."""
    return UUID(wish.task).bytes if wish.task else wish.name.encode()
