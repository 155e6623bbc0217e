"""An `OpenTasks` around an `OpenTasks`: no more at once than can be served.

Those who find all places taken wait, a few of them and not for long; the
others are turned away at once. A process has only so many threads: whoever
waits for the database must leave some to those who need none.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore
from time import monotonic

from taskservice.core.errors import Busy
from taskservice.core.service import OpenTasks, TaskService

WAITING_PER_PLACE = 10
"""How many may wait for each place."""

SHORT = 0.05
"""A wait that nobody minds, in seconds."""


class Admission:
    """Lets in `places` at once; whoever is `waiting` for one gives up after `patience` seconds.

    The waiting room is small, but for a burst: where as many as it holds were
    let in during the last moment, one more will be as soon.
    """

    def __init__(self, open_tasks: OpenTasks, *, places: int, patience: float) -> None:
        self._open_tasks = open_tasks
        self._patience = patience
        self._places = Semaphore(places)
        self._room = places * WAITING_PER_PLACE
        self.waiting = 0
        self._lock = Lock()
        self._left = deque([-SHORT] * self._room, maxlen=self._room)

    @contextmanager
    def open_tasks(self, owner: str, *, together: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`. Raises `Busy`."""
        if not self._places.acquire(blocking=False):
            self._wait()
        try:
            with self._open_tasks(owner, together=together) as tasks:
                yield tasks
        finally:
            self._left.append(monotonic())
            self._places.release()

    def _wait(self) -> None:
        """Wait for a place."""
        with self._lock:
            if self.waiting >= self._room and monotonic() - self._left[0] > SHORT:
                raise Busy("too many wait for the database")
            self.waiting += 1
        try:
            if not self._places.acquire(timeout=self._patience):
                raise Busy("no place at the database became free in time")
        finally:
            with self._lock:
                self.waiting -= 1
