"""Counting in the memory of the process."""

from threading import Lock

from taskservice.core.clock import Clock, system_clock

_Counts = dict[str, tuple[int, int]]


class MemoryCounters:
    """Counters of this process alone, safe for its threads.

    They are kept in two generations, each at least as long as a window. What
    was not counted for a whole one goes with it, without a search for it.
    """

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._young: _Counts = {}
        self._old: _Counts = {}
        self._turned = clock().timestamp()

    def count(self, name: str, window: int, seconds: int) -> int:
        """Count one more in this window of `name`."""
        with self._lock:
            self._turn(seconds)
            last = self._young.get(name) or self._old.get(name) or (window, 0)
            count = last[1] + 1 if last[0] == window else 1
            self._young[name] = window, count
            return count

    def _turn(self, seconds: int) -> None:
        now = self._clock().timestamp()
        if now >= self._turned + seconds:
            self._young, self._old, self._turned = {}, self._young, now
