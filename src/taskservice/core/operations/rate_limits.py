"""How much one caller may ask for: fixed windows, and the port that counts in them."""

import re
from math import ceil
from typing import NamedTuple, Protocol, Self
from zlib import crc32

from taskservice.core.clock import Clock, system_clock

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
"""The windows that a rate may have, in seconds."""

_rate = re.compile(rf"([1-9][0-9]{{0,6}})/({'|'.join(UNITS)})").fullmatch


class Rate(NamedTuple):
    """How many requests are taken (`quota`) in a window of so many `seconds`."""

    quota: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rate that `text` says, such as `600/minute`. Raises `ValueError`."""
        match = _rate(text)
        if match is None:
            raise ValueError("must be off, or a number per unit, such as 600/minute")
        return cls(int(match[1]), UNITS[match[2]])

    def times(self, factor: int) -> Self:
        """Return the rate that is `factor` times as high."""
        return self._replace(quota=self.quota * factor)


class RateLimitStatus(NamedTuple):
    """What is left of a rate: how much of it was used, and the seconds until there is more."""

    rate: Rate
    used: int
    seconds: int

    @property
    def remaining(self) -> int:
        """How many more requests will be taken within this window."""
        return max(0, self.rate.quota - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether the request that was counted last was one too many."""
        return self.used > self.rate.quota

    @property
    def was_just_exceeded(self) -> bool:
        """Whether it was the first that was one too many: one request hears so in each window."""
        return self.used == self.rate.quota + 1


class Counters(Protocol):
    """Counts by name, in windows that are numbered."""

    def count(self, name: str, window: int, seconds: int) -> int:
        """Count one more in this window of `name`, and return how many it has had.

        No two calls are given the same number. A count may be forgotten once
        `seconds`, the length of the window, have passed.
        """
        ...


class RateLimit:
    """A rate that everyone, by name, has to themselves.

    The windows of each name begin at moments of its own, so that not everybody
    who waited comes back at once. All who share the counters agree on them, as
    far as their clocks agree.
    """

    def __init__(self, rate: Rate, counters: Counters, clock: Clock = system_clock) -> None:
        self.rate = rate
        self._counters = counters
        self._clock = clock

    def take(self, name: str) -> RateLimitStatus:
        """Count a request of `name`, and return what it leaves."""
        seconds = self.rate.seconds
        shifted = self._clock().timestamp() + crc32(name.encode()) % seconds
        window, elapsed = divmod(shifted, seconds)
        used = self._counters.count(name, int(window), seconds)
        return RateLimitStatus(self.rate, used, ceil(seconds - elapsed))
