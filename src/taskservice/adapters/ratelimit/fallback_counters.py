"""Counting that goes on where the shared counters are away."""

import logging

from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Unavailable
from taskservice.core.operations.rate_limits import Counters

REST = 10.0
"""Seconds between two tries of counters that were away, and so between two lines of the log."""

_log = logging.getLogger("taskservice")


class FallbackCounters:
    """Counts in `shared`; while that is away, in `spare`, so that no request fails for it."""

    def __init__(self, shared: Counters, spare: Counters, clock: Clock = system_clock) -> None:
        self._shared = shared
        self._spare = spare
        self._clock = clock
        self._failed: float | None = None

    def count(self, name: str, window: int, seconds: int) -> int:
        """Count one more, where that is possible."""
        if self._rests():
            return self._spare.count(name, window, seconds)
        try:
            count = self._shared.count(name, window, seconds)
        except Unavailable as error:
            self._rest(str(error))
            return self._spare.count(name, window, seconds)
        self._recover()
        return count

    def _rests(self) -> bool:
        # A clock that was set back ends the rest.
        return self._failed is not None and 0 <= self._now() - self._failed < REST

    def _rest(self, reason: str) -> None:
        self._failed = self._now()
        _log.warning("rate limit store unavailable, counting per process", extra={"reason": reason})

    def _recover(self) -> None:
        if self._failed is not None:
            self._failed = None
            _log.warning("rate limit store recovered")

    def _now(self) -> float:
        return self._clock().timestamp()
