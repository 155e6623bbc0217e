"""Admission control: limits concurrent requests to the database, and shares them among owners.

Requests beyond the limit wait in a short queue; requests beyond the queue are
rejected at once. Waiting requests hold threads of the process, and requests
that need no database must still find one.
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import NamedTuple

from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.errors import Overloaded
from taskservice.core.workspace import OpenWorkspace, Workspace

QUEUE_LIMIT_PER_SLOT = 10
"""How many requests may wait for each slot."""

BURST_SECONDS = 0.05
"""The queue may exceed its limit while it empties once within this time, in seconds."""


class _Waiter(NamedTuple):
    """A request in the queue; `admitted` is held until the request gets a slot."""

    owner: str
    admitted: Lock


class Admission:
    """An `OpenWorkspace` around an `OpenWorkspace` that admits up to `slots` requests at once.

    A request without a slot waits up to `wait_timeout` seconds. One owner never
    has all slots, if there are several, nor the whole queue. The next slot goes
    to the owner who has the fewest.

    The queue is short. It accepts a burst beyond its limit if the last
    `queue_limit` requests were finished within `BURST_SECONDS`. Raises
    `ValueError` if `slots` is less than 1.
    """

    def __init__(self, open_workspace: OpenWorkspace, *, slots: int, wait_timeout: float) -> None:
        if slots < 1:
            raise ValueError("slots must be at least 1")
        self._open_workspace = open_workspace
        self._wait_timeout = wait_timeout
        self._free_slots = slots
        self._slots_per_owner = max(slots - 1, 1)
        self._queue_limit = slots * QUEUE_LIMIT_PER_SLOT
        self._queue_limit_per_owner = self._queue_limit - slots
        self._slots_of: Counter[str] = Counter()
        self._queue: list[_Waiter] = []
        self._lock = Lock()
        self._release_times = deque([-BURST_SECONDS] * self._queue_limit, maxlen=self._queue_limit)

    @property
    def queue_length(self) -> int:
        """How many requests wait for a slot."""
        return len(self._queue)

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        """Yield the workspace of `owner`; see `OpenWorkspace`. Raises `Overloaded`."""
        self._acquire_or_wait(owner)
        try:
            with self._open_workspace(owner, atomic=atomic, origin=origin) as workspace:
                yield workspace
        finally:
            self._release(owner)

    def _acquire_or_wait(self, owner: str) -> None:
        with self._lock:
            if self._may_acquire(owner):
                self._acquire(owner)
                return
            self._check_queue_limit(owner)
            waiter = _Waiter(owner, Lock())
            waiter.admitted.acquire()
            self._queue.append(waiter)
        if not waiter.admitted.acquire(timeout=self._wait_timeout):
            self._time_out(waiter)

    def _may_acquire(self, owner: str) -> bool:
        return self._free_slots > 0 and self._slots_of[owner] < self._slots_per_owner

    def _acquire(self, owner: str) -> None:
        self._free_slots -= 1
        self._slots_of[owner] += 1

    def _release(self, owner: str) -> None:
        with self._lock:
            self._release_times.append(monotonic())
            self._free_slots += 1
            self._slots_of[owner] -= 1
            if not self._slots_of[owner]:
                del self._slots_of[owner]
            self._admit_next()

    def _admit_next(self) -> None:
        """Admit the waiter whose owner has the fewest slots, if any waiter may have one."""
        eligible = [waiter for waiter in self._queue if self._may_acquire(waiter.owner)]
        if eligible:
            admitted = min(eligible, key=lambda waiter: self._slots_of[waiter.owner])
            self._queue.remove(admitted)
            self._acquire(admitted.owner)
            admitted.admitted.release()

    def _time_out(self, waiter: _Waiter) -> None:
        with self._lock:
            # A waiter that was admitted just after its timeout has a slot.
            if waiter in self._queue:
                self._queue.remove(waiter)
                raise Overloaded("timed out waiting for a database connection")

    def _check_queue_limit(self, owner: str) -> None:
        of_owner = sum(waiter.owner == owner for waiter in self._queue)
        is_full = len(self._queue) >= self._queue_limit or of_owner >= self._queue_limit_per_owner
        if is_full and monotonic() - self._release_times[0] > BURST_SECONDS:
            raise Overloaded("the queue for database connections is full")
