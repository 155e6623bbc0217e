"""The port that tells whether a part is fit to serve; and a look that those who ask share."""

from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic
from typing import Protocol

from taskservice.core.errors import Unavailable

PATIENCE = 0.2
"""How long another's look is waited for, in seconds."""

GOOD_FOR = 0.25
"""How long what was found is told without another look, in seconds."""


class Probe(Protocol):
    """Looks at one part that the service needs."""

    def __call__(self) -> None:
        """Return when the part is fit to serve; raise `Unavailable`, saying why, when not."""
        ...


class SharedProbe:
    """A `Probe` around a `Probe`, which looks once for all who come at the same moment.

    Whoever comes while it looks, or within `GOOD_FOR` after, is told what it
    finds: however many ask, they take one connection. Where that look takes
    long, they are told so, and keep no thread from others. `clock` and
    `patience` are in seconds.
    """

    def __init__(
        self,
        probe: Probe,
        clock: Callable[[], float] = monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._probe = probe
        self._patience = patience
        self._clock = clock
        self._lock = Lock()
        self._good_until = -inf
        self._reason: str | None = None

    def __call__(self) -> None:
        """Return when the part is fit to serve. Raises `Unavailable`."""
        came = self._clock()
        if not self._lock.acquire(timeout=self._patience):
            raise Unavailable("it is being looked at, and does not answer")
        try:
            if came > self._good_until:
                self._look()
            reason = self._reason
        finally:
            self._lock.release()
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
