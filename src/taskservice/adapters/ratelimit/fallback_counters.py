"""Fallback for rate limit counters: counts in memory while the shared store is unavailable."""

import logging

from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Unavailable
from taskservice.core.operations.rate_limits import Counters

RETRY_AFTER = 10.0
"""Seconds until an unavailable store is tried again, and the next line is logged."""

_log = logging.getLogger("taskservice")


class FallbackCounters:
    """Counts in `shared`; while that is unavailable, in `fallback`, so that no request fails."""

    def __init__(self, shared: Counters, fallback: Counters, clock: Clock = system_clock) -> None:
        self._shared = shared
        self._fallback = fallback
        self._clock = clock
        self._failed_at: float | None = None

    def count(self, name: str, window: int, seconds: int, cost: int = 1) -> int:
        """Count a request in the shared store, or in the fallback."""
        if self._is_suspended():
            return self._fallback.count(name, window, seconds, cost)
        try:
            count = self._shared.count(name, window, seconds, cost)
        except Unavailable as error:
            self._suspend(str(error))
            return self._fallback.count(name, window, seconds, cost)
        self._recover()
        return count

    def _is_suspended(self) -> bool:
        # If the clock is set back, the difference is negative: try again.
        return self._failed_at is not None and 0 <= self._now() - self._failed_at < RETRY_AFTER

    def _suspend(self, reason: str) -> None:
        self._failed_at = self._now()
        _log.warning("rate limit store unavailable, counting per process", extra={"reason": reason})

    def _recover(self) -> None:
        if self._failed_at is not None:
            self._failed_at = None
            _log.warning("rate limit store recovered")

    def _now(self) -> float:
        return self._clock().timestamp()
