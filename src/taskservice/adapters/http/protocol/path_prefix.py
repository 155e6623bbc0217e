"""Path prefix: validates `X-Forwarded-Prefix` from a trusted proxy."""

import logging
import re
from collections.abc import Callable
from math import inf
from time import monotonic
from urllib.parse import quote, unquote_to_bytes

PATH_SAFE_CHARACTERS = "/:@!$&'()*+,;=~"
"""Characters that a path holds unencoded (RFC 3986, section 3.3), beside letters, digits, `-._`."""

WARNING_INTERVAL = 60.0
"""Minimum time between two warnings about an invalid prefix, in seconds."""

_log = logging.getLogger("taskservice")

# No empty segment, as `//` begins a host, and no backslash, which browsers treat as a slash.
_is_path = re.compile(rb"(?:/(?!\.\.?(?:/|\Z))[^/\\\x00-\x1f\x7f]+)*").fullmatch


class Throttle:
    """Allows one event in each interval of `seconds`."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = -inf

    def __call__(self) -> bool:
        """Return whether the event is allowed now."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


_may_warn = Throttle(WARNING_INTERVAL)


def normalize_path_prefix(prefix: str) -> str:
    """Return `prefix` as a URI reference, or `""` with a warning in the log if it is not a path.

    It may be percent-encoded or not: `/a b` and `/a%20b` are the same.
    """
    decoded = unquote_to_bytes(prefix)
    if _is_path(decoded):
        return quote(decoded, safe=PATH_SAFE_CHARACTERS)
    if _may_warn():
        _log.warning("X-Forwarded-Prefix ignored, not a valid path")
    return ""
