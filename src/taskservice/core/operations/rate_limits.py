"""Rate limits: fixed windows for each name, and the port of their counters."""

import re
from math import ceil
from typing import NamedTuple, Protocol, Self
from zlib import crc32

from taskservice.core.clock import Clock, system_clock

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
"""The windows that a rate may have, in seconds."""

_rate = re.compile(rf"([1-9][0-9]{{0,6}})/({'|'.join(UNITS)})").fullmatch


class Rate(NamedTuple):
    """A `quota` of requests in a window of `seconds`."""

    quota: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a rate such as `600/minute`. Raises `ValueError`."""
        match = _rate(text)
        if match is None:
            raise ValueError("must be off, or a number per unit, such as 600/minute")
        return cls(int(match[1]), UNITS[match[2]])

    def times(self, factor: int) -> Self:
        """Return a rate with `factor` times the quota."""
        return self._replace(quota=self.quota * factor)


class RateLimitStatus(NamedTuple):
    """The state of a rate limit: requests used, and the seconds until the window is reset.

    `cost` is how many of them were counted last.
    """

    rate: Rate
    used: int
    reset_after: int
    cost: int = 1

    @property
    def remaining(self) -> int:
        """How many more requests are allowed in this window."""
        return max(0, self.rate.quota - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether the last counted request is over the quota."""
        return self.used > self.rate.quota

    @property
    def was_just_exceeded(self) -> bool:
        """Whether what was counted last is the first over the quota in this window."""
        return self.used - self.cost <= self.rate.quota < self.used


class Counters(Protocol):
    """Counts requests by name and by the number of the window."""

    def count(self, name: str, window: int, seconds: int, cost: int = 1) -> int:
        """Add `cost` to the counter of this window of `name`, and return its new value.

        No two calls return the same value. A counter may expire after
        `seconds`, the length of the window.
        """
        ...


class RateLimit:
    """A fixed-window rate limit; each name has its own quota.

    The windows of each name have an offset of their own, so that clients do not
    all retry at once. Processes that share `counters` share the quota, as far
    as their clocks agree.
    """

    def __init__(self, rate: Rate, counters: Counters, clock: Clock = system_clock) -> None:
        self.rate = rate
        self._counters = counters
        self._clock = clock

    def hit(self, name: str, cost: int = 1) -> RateLimitStatus:
        """Count a request of `name`, or as many as its `cost`; return the state of the limit."""
        seconds = self.rate.seconds
        shifted = self._clock().timestamp() + crc32(name.encode()) % seconds
        window, elapsed = divmod(shifted, seconds)
        used = self._counters.count(name, int(window), seconds, cost)
        return RateLimitStatus(self.rate, used, ceil(seconds - elapsed), cost)
