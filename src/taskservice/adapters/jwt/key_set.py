"""The issuer's public keys: when they are fetched, and how long they serve."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import NamedTuple

from jwt import PyJWK

from taskservice.adapters.jwt.fetch import TOTAL_SECONDS, fetch_key_set
from taskservice.adapters.jwt.jwk import ALGORITHMS
from taskservice.adapters.jwt.jwks import JwkSet, log_change, read_key_set
from taskservice.core.errors import Unavailable
from taskservice.core.operations.metrics import NO_METRICS, Metrics

REFRESH = 300.0
"""The longest time between two fetches, in seconds; less may be configured."""

STALE = 2 * REFRESH
"""The age in seconds from which a set is fetched before use, unless that was tried lately."""

KEPT = 24 * 60 * 60.0
"""The age in seconds from which a set is no longer used."""

COOL_DOWN = 30.0
"""Seconds between attempts after a failure, and between fetches for an unknown `kid`."""

RETRY = 1.0
"""Seconds between attempts while there is no key at all."""

CANDIDATES_LIMIT = 8
"""How many keys are tried on one token."""

PATIENCE = TOTAL_SECONDS + 1
"""How long a request waits for a fetch, in seconds: all of it, and some for the resolver."""

_log = logging.getLogger("taskservice")


class _Fetched(NamedTuple):
    found: JwkSet
    at: float

    @property
    def keys(self) -> tuple[PyJWK, ...]:
        return self.found.keys


class KeySet:
    """The `Keys` that an issuer publishes at a URL: EdDSA, ES256 and RS256 (RFC 7517).

    One fetch is under way at a time, in a thread of its own. A request waits
    for it, for at most 6 s, where the set is stale after a sleep; and, one
    request at a time, where there is no key or the token names an unknown one.
    All others go on with the keys they have, which serve for a day while
    fetches fail. A process that was forked off fetches for itself.
    """

    algorithms = ALGORITHMS

    def __init__(
        self,
        url: str,
        refresh: float = REFRESH,
        clock: Callable[[], float] = time.monotonic,
        fetch: Callable[[str], bytes] = fetch_key_set,
        metrics: Metrics = NO_METRICS,
    ) -> None:
        """Fetch nothing yet. `refresh` and `clock` are in seconds; `fetch` raises `Unavailable`.

        Raises `ValueError` unless `refresh` is over 0 and at most 300: that a
        removed key stops working within 600 s rests on it.
        """
        if not 0 < refresh <= REFRESH:
            raise ValueError(f"must be over 0 and at most {REFRESH:.0f} seconds")
        self._url, self._refresh, self._clock, self._fetch = url, refresh, clock, fetch
        self._metrics = metrics
        self._fetched = _Fetched(JwkSet((), ()), -math.inf)
        self._failure: str | None = "it was not fetched yet"
        self._flight: Thread | None = None
        self._ended = self._missed = -math.inf
        self._lock = Lock()
        metrics.jwks_fetched(0)

    @property
    def age(self) -> float:
        """Seconds since the last fetch that succeeded began; infinite before the first."""
        return self._clock() - self._fetched.at

    def current(self) -> tuple[PyJWK, ...]:
        """Return all keys, fetched anew where that is due; raise `Unavailable` without any."""
        now = self._clock()
        age, idle = now - self._fetched.at, now - self._ended
        if age >= KEPT:
            if self._begin(quiet=RETRY):
                self._wait()
            if self.age >= KEPT:
                raise Unavailable(f"there is no key set: {self._failure}")
        elif age >= STALE and idle >= self._refresh:
            self._begin(quiet=self._refresh)
            self._wait()
        elif age >= self._refresh:
            self._begin(quiet=min(self._refresh, COOL_DOWN))
        return self._fetched.keys

    def candidates(self, algorithm: str, key_id: str | None) -> Sequence[PyJWK]:
        """Return the keys for `algorithm`: those named `key_id`, or without it up to 8.

        Fetches anew for an unknown `key_id`, at most once in 30 s. Raises
        `Unavailable` where no set was fetched for a day or ever, and where it
        is not known whether there is such a key by now.
        """
        keys = self.current()
        if key_id is not None and all(key.key_id != key_id for key in keys):
            keys = self._after_miss()
        named = [key for key in keys if key_id is None or key.key_id == key_id]
        return [key for key in named if key.algorithm_name == algorithm][:CANDIDATES_LIMIT]

    def why_ignored(self, key_id: str) -> str | None:
        """Return why the issuer's key named `key_id` is not used, or None if there is no such."""
        ignored = self._fetched.found.ignored
        return next((key.reason for key in ignored if key.key_id == key_id), None)

    def probe(self) -> None:
        """Return if there are keys, fetching where due; raise `Unavailable` if there are none."""
        self.current()

    def refresh_now(self) -> None:
        """Fetch, and wait for it; raise `Unavailable`, saying why, where that fails."""
        self._begin(quiet=0)
        self._wait()
        if self._failure is not None:
            raise Unavailable(f"the key set was not fetched: {self._failure}")

    def _after_miss(self) -> tuple[PyJWK, ...]:
        with self._lock:
            now = self._clock()
            is_due = now - self._missed >= COOL_DOWN
            self._missed = now if is_due else self._missed
        if is_due:
            self._begin(quiet=0)
            self._wait()
        if (failure := self._failure) is not None:
            raise Unavailable(f"the key is not known, and the key set was not fetched: {failure}")
        return self._fetched.keys

    def _begin(self, *, quiet: float) -> bool:
        """Start a fetch, unless one is under way or one ended less than `quiet` seconds ago."""
        with self._lock:
            under_way = self._flight is not None and self._flight.is_alive()
            if under_way or self._clock() - self._ended < quiet:
                return False
            flight = Thread(target=self._fetch_in_background, name="key-set", daemon=True)
            self._failure = "a fetch is under way"
            try:
                flight.start()
            except RuntimeError as error:
                self._failure = str(error)
                return False
            self._flight = flight
            return True

    def _wait(self) -> None:
        if self._flight is not None:
            self._flight.join(PATIENCE)

    def _fetch_in_background(self) -> None:
        began = self._clock()
        try:
            found = self._usable(self._fetch(self._url))
            log_change(self._fetched.found, found)
            self._fetched = _Fetched(found, began)
            self._failure = None
            self._metrics.jwks_fetched(time.time())
        except (Unavailable, ValueError) as error:
            self._failure = str(error)
            self._metrics.jwks_fetch_failed()
            _log.warning("the key set was not fetched", extra={"reason": str(error)})
        finally:
            self._ended = self._clock()

    def _usable(self, document: bytes) -> JwkSet:
        """Return the keys; none is an answer only of an issuer that takes back what it gave."""
        found = read_key_set(document)
        if not found.keys and self.age == math.inf:
            raise ValueError(f"it holds no usable key: {found.reasons()}")
        return found
