"""An `OpenTasks` around an `OpenTasks`: no more at once than can be served, and nobody for all.

Those who find no place wait, a few of them and not for long; the others are
turned away at once. A process has only so many threads: whoever waits for the
database must leave some to those who need none.
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic
from typing import NamedTuple

from taskservice.core.errors import Busy
from taskservice.core.service import OpenTasks, TaskService

WAITING_PER_PLACE = 10
"""How many may wait for each place."""

SHORT = 0.05
"""A wait that nobody minds, in seconds."""


class _Waiting(NamedTuple):
    """Somebody who waits to be called in."""

    owner: str
    called: Event


class Admission:
    """Lets in `places` at once; whoever waits for one gives up after `patience` seconds.

    One owner never has all places, where there are more than one, nor the
    whole waiting room; who has the fewest is called in next. The room is
    small, but for a burst: where as many as it holds were let in during the
    last moment, one more will be as soon. Raises `ValueError` without a place.
    """

    def __init__(self, open_tasks: OpenTasks, *, places: int, patience: float) -> None:
        if places < 1:
            raise ValueError("there must be a place")
        self._open_tasks = open_tasks
        self._patience = patience
        self._free = places
        self._most = max(places - 1, 1)
        self._room = places * WAITING_PER_PLACE
        self._most_waiting = self._room - places
        self._taken: Counter[str] = Counter()
        self._queue: list[_Waiting] = []
        self._lock = Lock()
        self._left = deque([-SHORT] * self._room, maxlen=self._room)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`. Raises `Busy`."""
        self._enter(owner)
        try:
            with self._open_tasks(owner, atomic=atomic) as tasks:
                yield tasks
        finally:
            self._leave(owner)

    def _enter(self, owner: str) -> None:
        with self._lock:
            if self._has_place_for(owner):
                self._take(owner)
                return
            self._require_room(owner)
            waiting = _Waiting(owner, Event())
            self._queue.append(waiting)
        if not waiting.called.wait(self._patience):
            self._give_up(waiting)

    def _leave(self, owner: str) -> None:
        with self._lock:
            self._left.append(monotonic())
            self._free += 1
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
            self._call_next()

    def _call_next(self) -> None:
        """Let in, of those who may have a place, the one whose owner has the fewest."""
        may = [waiting for waiting in self._queue if self._has_place_for(waiting.owner)]
        if may:
            following = min(may, key=lambda waiting: self._taken[waiting.owner])
            self._queue.remove(following)
            self._take(following.owner)
            following.called.set()

    def _give_up(self, waiting: _Waiting) -> None:
        with self._lock:
            # Whoever was called in the last moment has a place.
            if waiting in self._queue:
                self._queue.remove(waiting)
                raise Busy("no place at the database became free in time")

    def _has_place_for(self, owner: str) -> bool:
        return self._free > 0 and self._taken[owner] < self._most

    def _take(self, owner: str) -> None:
        self._free -= 1
        self._taken[owner] += 1

    def _require_room(self, owner: str) -> None:
        of_owner = sum(waiting.owner == owner for waiting in self._queue)
        is_full = len(self._queue) >= self._room or of_owner >= self._most_waiting
        if is_full and monotonic() - self._left[0] > SHORT:
            raise Busy("too many wait for the database")
