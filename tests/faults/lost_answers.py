"""Writes whose answer from the database is lost on the wire: what is their client told?"""

from collections.abc import Callable, Iterator
from functools import partial
from uuid import UUID

from tests.faults.clients import Client
from tests.faults.commands import command_name
from tests.faults.requests import Request, undo_of
from tests.tcp_proxy import TcpProxy

COMMIT = b"COMMIT\0"
ANSWERS = 26
"""How many answers a probe loses: to five statements, and to twenty-one COMMITs."""


class Prober:
    """A client each of whose writes is done by a database whose answer never arrives.

    A write without a key is one statement, unless it looks at several tasks; of any
    other, the answer to COMMIT is lost. It is asked for once: what it is told first,
    counts.
    """

    def __init__(self, client: Client, user: str, proxy: TcpProxy) -> None:
        self._client = client
        self._user = user
        self._proxy = proxy
        self.lost: list[str] = []

    def probe(self) -> None:
        """Lose one answer of each kind; an idle connection is not left, as it might be cut."""
        for request, after_bytes, statement in self._probes():
            before = self._proxy.lost
            self._proxy.after_bytes, self._proxy.lose_answer_to = after_bytes, statement
            self._client.send_once(request)
            self._proxy.after_bytes, self._proxy.lose_answer_to = b"", None
            if self._proxy.lost > before:
                self.lost.append(request.name)
        self._client.disconnect()

    def _probes(self) -> Iterator[tuple[Request, bytes, bytes]]:
        """Yield wishes; what their connection has said before; what is not answered."""
        kinds: tuple[tuple[Callable[[str], Request], bytes], ...] = (
            (self._creation, b"INSERT INTO tasks"),
            (self._update, b"UPDATE tasks"),
            (self._completion, b"UPDATE tasks"),
            (self._deletion, b"DELETE FROM tasks"),
            (self._move, COMMIT),
            (self._promotion, COMMIT),
            (self._closing, COMMIT),
            (self._reopening, COMMIT),
            (self._restoration, COMMIT),
            (self._purge, b"DELETE FROM trash"),
            (self._undo, COMMIT),
            (partial(self._batch, "atomic"), COMMIT),
            (partial(self._batch, "each"), COMMIT),
        )
        for make_request, statement in kinds:
            request = make_request(self._client.next_name())
            yield request, _unique_bytes(request), statement
            name = self._client.next_name()
            yield make_request(name)._replace(key=name), name.encode(), COMMIT

    def _creation(self, name: str) -> Request:
        return Request(name, "create", self._user, title=name, completed=False)

    def _update(self, name: str) -> Request:
        return Request(name, "update", self._user, self._task(), title=name)

    def _completion(self, name: str) -> Request:
        return Request(name, "complete", self._user, self._task(), completed=True)

    def _deletion(self, name: str) -> Request:
        return Request(name, "delete", self._user, self._task())

    def _move(self, name: str) -> Request:
        first, second = self._task(), self._task()
        return Request(name, "move", self._user, second, place="before", beside=first)

    def _promotion(self, name: str) -> Request:
        parent = self._task()
        below = self._creation(self._client.next_name())
        self._client.send_once(below._replace(parent_id=parent))
        return Request(name, "delete", self._user, parent)

    def _closing(self, name: str) -> Request:
        task = self._task("FREQ=DAILY")
        return Request(name, "complete", self._user, task, completed=True)

    def _reopening(self, name: str) -> Request:
        closing = self._closing(self._client.next_name())
        self._client.send_once(closing)
        return Request(name, "complete", self._user, closing.task, completed=False)

    def _restoration(self, name: str) -> Request:
        return Request(name, "restore", self._user, self._trashed())

    def _purge(self, name: str) -> Request:
        return Request(name, "purge", self._user, self._trashed())

    def _undo(self, name: str) -> Request:
        update = self._update(self._client.next_name())
        self._client.send_once(update)
        history = Request(self._client.next_name(), "history", self._user, update.task)
        changes = self._client.send_once(history).changes
        # A service with a bug may have lost them.
        undone = Request(name, "undo", self._user, update.task)
        return undo_of(undone, changes[0]) if changes else self._update(name)

    def _batch(self, mode: str, name: str) -> Request:
        """Return a batch that creates, changes and creates. In mode `each` the last one fails."""
        first = self._creation(command_name(name, 0))
        update = self._update(command_name(name, 1))
        second = self._creation(command_name(name, 2))._replace(parent_id="$0")
        last = Request(command_name(name, 3), "restore", self._user, update.task)
        commands = (first, update, second, last)[: 4 if mode == "each" else 3]
        return Request(name, "batch", self._user, mode=mode, commands=commands)

    def _trashed(self) -> str:
        """Return the id of a new task, which is in the trash unless the service has a bug."""
        deletion = self._deletion(self._client.next_name())
        self._client.send_once(deletion)
        return deletion.task or ""

    def _task(self, recurrence: str | None = None) -> str:
        """Return the id of a new task."""
        creation = self._creation(self._client.next_name())._replace(recurrence=recurrence)
        response = self._client.send_once(creation)
        assert response.outcome == "ok", response
        return response.seen[0].task


def _unique_bytes(request: Request) -> bytes:
    """Return what only the statements of this wish hold: the task's id, or the new title."""
    return UUID(request.task).bytes if request.task else request.name.encode()
