"""Rate limit counters in the memory of the process."""

from threading import Lock

from taskservice.core.clock import Clock, system_clock

_Counts = dict[str, tuple[int, int]]


class MemoryCounters:
    """Thread-safe counters of this process.

    They are stored in two generations, each at least as long as a window. A
    name that is not counted in a generation is dropped with it.
    """

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._current: _Counts = {}
        self._previous: _Counts = {}
        self._rotated_at = clock().timestamp()

    def count(self, name: str, window: int, seconds: int, cost: int = 1) -> int:
        """Count a request of `name` in this window, and return the total."""
        with self._lock:
            self._rotate(seconds)
            last = self._current.get(name) or self._previous.get(name) or (window, 0)
            count = last[1] + cost if last[0] == window else cost
            self._current[name] = window, count
            return count

    def _rotate(self, seconds: int) -> None:
        now = self._clock().timestamp()
        if now >= self._rotated_at + seconds:
            self._current, self._previous, self._rotated_at = {}, self._current, now
