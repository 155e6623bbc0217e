"""Readiness checks: the port that probes one dependency, and a result that callers share."""

from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic
from typing import Protocol

from taskservice.core.errors import Unavailable

WAIT_TIMEOUT = 0.2
"""How long to wait for a probe that another thread runs, in seconds."""

RESULT_TTL = 0.25
"""How long a result is reused, in seconds."""


class Probe(Protocol):
    """Checks one dependency of the service."""

    def __call__(self) -> None:
        """Return if the dependency is ready; raise `Unavailable`, with the reason, if not."""
        ...


class SharedProbe:
    """A `Probe` around a `Probe` that runs once for concurrent callers.

    Callers during a run, or within `RESULT_TTL` after it, share its result. So
    any number of callers use one connection. A caller that has waited for
    `wait_timeout` raises `Unavailable`, so that a slow probe does not block
    many threads. `clock` and `wait_timeout` are in seconds.
    """

    def __init__(
        self,
        probe: Probe,
        clock: Callable[[], float] = monotonic,
        wait_timeout: float = WAIT_TIMEOUT,
    ) -> None:
        self._probe = probe
        self._wait_timeout = wait_timeout
        self._clock = clock
        self._lock = Lock()
        self._expires = -inf
        self._reason: str | None = None

    def __call__(self) -> None:
        """Return if the dependency is ready. Raises `Unavailable`."""
        called = self._clock()
        if not self._lock.acquire(timeout=self._wait_timeout):
            raise Unavailable("timed out waiting for a readiness check that is still running")
        try:
            if called > self._expires:
                self._run_probe()
            reason = self._reason
        finally:
            self._lock.release()
        if reason is not None:
            raise Unavailable(reason)

    def _run_probe(self) -> None:
        try:
            self._probe()
        except Unavailable as error:
            self._reason = str(error)
        else:
            self._reason = None
        self._expires = self._clock() + RESULT_TTL
