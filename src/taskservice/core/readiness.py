"""The port that tells whether a part is fit to serve; and a look that those who ask share."""

from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic
from typing import Protocol

from taskservice.core.errors import Unavailable

GOOD_FOR = 0.25
"""How long what was found is told without another look, in seconds."""


class Probe(Protocol):
    """Looks at one part that the service needs."""

    def __call__(self) -> None:
        """Return when the part is fit to serve; raise `Unavailable`, saying why, when not."""
        ...


class Shared:
    """A `Probe` around a `Probe`, which looks once for all who come at the same moment.

    Whoever comes while it looks, or within `GOOD_FOR` after, is told what it
    finds: however many ask, they take one connection. `clock` is in seconds.
    """

    def __init__(self, probe: Probe, clock: Callable[[], float] = monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._lock = Lock()
        self._good_until = -inf
        self._reason: str | None = None

    def __call__(self) -> None:
        """Return when the part is fit to serve. Raises `Unavailable`."""
        came = self._clock()
        with self._lock:
            if came > self._good_until:
                self._look()
            reason = self._reason
        if reason is not None:
            raise Unavailable(reason)

    def _look(self) -> None:
        try:
            self._probe()
        except Unavailable as error:
            self._reason = str(error)
        else:
            self._reason = None
        self._good_until = self._clock() + GOOD_FOR
