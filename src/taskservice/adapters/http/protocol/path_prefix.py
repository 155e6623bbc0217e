"""The path prefix under which a trusted proxy serves this (`X-Forwarded-Prefix`)."""

import logging
import re
from collections.abc import Callable
from math import inf
from time import monotonic
from urllib.parse import quote, unquote_to_bytes

IN_PATHS = "/:@!$&'()*+,;=~"
"""What a path holds as it is (RFC 3986, section 3.3), beside letters, digits, and `-._~`."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings of a prefix that is ignored."""

_log = logging.getLogger("taskservice")

# No empty segment, as `//` begins a host, nor a backslash, which browsers take for a slash.
_is_path = re.compile(rb"(?:/(?!\.\.?(?:/|\Z))[^/\\\x00-\x1f\x7f]+)*").fullmatch


class Throttle:
    """Says yes once in so many `seconds`, by `clock`, however often it is asked."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = -inf

    def __call__(self) -> bool:
        """Tell whether it is time again."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


_may_warn = Throttle(WARNING_INTERVAL)


def path_prefix(said: str) -> str:
    """Return what a proxy has `said` as a URI reference; `""` where that is no path.

    It may be text or as it stands in an address: `/a b` and `/a%20b` are the same.
    """
    decoded = unquote_to_bytes(said)
    if _is_path(decoded):
        return quote(decoded, safe=IN_PATHS)
    if _may_warn():
        _log.warning("X-Forwarded-Prefix is not a path, and is ignored")
    return ""
