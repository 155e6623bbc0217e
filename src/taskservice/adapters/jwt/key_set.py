"""Key set: fetches the issuer's public keys, caches and refreshes them."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import NamedTuple

from jwt import PyJWK

from taskservice.adapters.jwt.fetch import TOTAL_TIMEOUT, fetch_key_set
from taskservice.adapters.jwt.jwk import ALGORITHMS
from taskservice.adapters.jwt.jwk_set import JwkSet, log_change, read_key_set
from taskservice.core.errors import Unavailable
from taskservice.core.operations.metrics import NO_METRICS, Metrics

MAX_REFRESH_INTERVAL = 300.0
"""The maximum refresh interval, in seconds."""

STALE_AFTER = 2 * MAX_REFRESH_INTERVAL
"""The age in seconds at which a request waits for a refresh, unless one was tried recently."""

MAX_AGE = 24 * 60 * 60.0
"""The age in seconds at which keys are no longer used."""

COOLDOWN = 30.0
"""Minimum time in seconds between retries, and between fetches for an unknown `kid`."""

RETRY_INTERVAL = 1.0
"""Minimum time in seconds between retries while there are no keys."""

MAX_CANDIDATES = 8
"""The maximum number of keys that are tried for one token."""

FETCH_WAIT_TIMEOUT = TOTAL_TIMEOUT + 1
"""How long a request waits for a fetch, in seconds. It includes time to resolve the host name."""

_log = logging.getLogger("taskservice")


class _FetchedKeySet(NamedTuple):
    jwks: JwkSet
    fetched_at: float

    @property
    def keys(self) -> tuple[PyJWK, ...]:
        return self.jwks.keys


class KeySet:
    """Implements `KeySource` with a JWK Set at a URL: EdDSA, ES256 and RS256 (RFC 7517).

    One fetch runs at a time, in a background thread. Most requests use the cached keys,
    which are valid for a day while fetches fail. A request waits for a fetch, for at most
    6 s, if the keys are stale, for example after a suspend. One request at a time waits
    if there are no keys, or if the token has an unknown `kid`. A forked process fetches
    its own keys.
    """

    algorithms = ALGORITHMS

    def __init__(
        self,
        url: str,
        refresh: float = MAX_REFRESH_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        fetch: Callable[[str], bytes] = fetch_key_set,
        metrics: Metrics = NO_METRICS,
    ) -> None:
        """Fetch nothing yet. `refresh` and `clock` are in seconds; `fetch` raises `Unavailable`.

        Raises `ValueError` unless `refresh` is over 0 and at most 300. The limit ensures
        that a removed key stops working within 600 s.
        """
        if not 0 < refresh <= MAX_REFRESH_INTERVAL:
            raise ValueError(f"refresh must be over 0 and at most {MAX_REFRESH_INTERVAL:.0f} s")
        self._url, self._refresh, self._clock, self._fetch = url, refresh, clock, fetch
        self._metrics = metrics
        self._fetched = _FetchedKeySet(JwkSet((), ()), -math.inf)
        self._failure: str | None = "not fetched yet"
        self._fetch_thread: Thread | None = None
        self._last_fetch_ended = self._last_miss = -math.inf
        self._lock = Lock()
        metrics.jwks_fetched(0)

    @property
    def age(self) -> float:
        """Seconds since the start of the last successful fetch; infinite before the first."""
        return self._clock() - self._fetched.fetched_at

    def current(self) -> tuple[PyJWK, ...]:
        """Return all keys, after a refresh if that is due. Raise `Unavailable` without keys."""
        now = self._clock()
        age, idle = now - self._fetched.fetched_at, now - self._last_fetch_ended
        if age >= MAX_AGE:
            if self._start_fetch(min_interval=RETRY_INTERVAL):
                self._wait()
            if self.age >= MAX_AGE:
                raise Unavailable(f"no key set is available: {self._failure}")
        elif age >= STALE_AFTER and idle >= self._refresh:
            self._start_fetch(min_interval=self._refresh)
            self._wait()
        elif age >= self._refresh:
            self._start_fetch(min_interval=min(self._refresh, COOLDOWN))
        return self._fetched.keys

    def candidates(self, algorithm: str, key_id: str | None) -> Sequence[PyJWK]:
        """Return the keys for `algorithm` with this `key_id`, or without a `key_id` up to 8.

        Fetches for an unknown `key_id`, at most once in 30 s. Raises `Unavailable` if
        there are no keys, or if that fetch failed, as the key may be a new one.
        """
        keys = self.current()
        if key_id is not None and all(key.key_id != key_id for key in keys):
            keys = self._after_miss()
        matching = [key for key in keys if key_id is None or key.key_id == key_id]
        return [key for key in matching if key.algorithm_name == algorithm][:MAX_CANDIDATES]

    def ignored_reason(self, key_id: str) -> str | None:
        """Return why the key with this id is ignored, or None if it does not exist."""
        ignored = self._fetched.jwks.ignored
        return next((key.reason for key in ignored if key.key_id == key_id), None)

    def probe(self) -> None:
        """Return if there are keys, after a fetch if due. Raise `Unavailable` if there are none."""
        self.current()

    def refresh_now(self) -> None:
        """Fetch, and wait for the result. Raise `Unavailable` with the reason of a failure."""
        self._start_fetch(min_interval=0)
        self._wait()
        if self._failure is not None:
            raise Unavailable(f"jwks fetch failed: {self._failure}")

    def _after_miss(self) -> tuple[PyJWK, ...]:
        with self._lock:
            now = self._clock()
            is_due = now - self._last_miss >= COOLDOWN
            self._last_miss = now if is_due else self._last_miss
        if is_due:
            self._start_fetch(min_interval=0)
            self._wait()
        if (failure := self._failure) is not None:
            raise Unavailable(f"unknown kid, and jwks fetch failed: {failure}")
        return self._fetched.keys

    def _start_fetch(self, *, min_interval: float) -> bool:
        """Start a fetch unless one is running, or one ended less than `min_interval` s ago."""
        with self._lock:
            is_running = self._fetch_thread is not None and self._fetch_thread.is_alive()
            if is_running or self._clock() - self._last_fetch_ended < min_interval:
                return False
            thread = Thread(target=self._fetch_in_background, name="key-set", daemon=True)
            self._failure = "a fetch is in progress"
            try:
                thread.start()
            except RuntimeError as error:
                self._failure = str(error)
                return False
            self._fetch_thread = thread
            return True

    def _wait(self) -> None:
        if self._fetch_thread is not None:
            self._fetch_thread.join(FETCH_WAIT_TIMEOUT)

    def _fetch_in_background(self) -> None:
        started = self._clock()
        try:
            jwks = self._parse(self._fetch(self._url))
            log_change(self._fetched.jwks, jwks)
            self._fetched = _FetchedKeySet(jwks, started)
            self._failure = None
            self._metrics.jwks_fetched(time.time())
        except (Unavailable, ValueError) as error:
            self._failure = str(error)
            self._metrics.jwks_fetch_failed()
            _log.warning("jwks fetch failed", extra={"reason": str(error)})
        finally:
            self._last_fetch_ended = self._clock()

    def _parse(self, document: bytes) -> JwkSet:
        """Return the keys. An issuer may remove all its keys, but the first set must have one."""
        jwks = read_key_set(document)
        if not jwks.keys and self.age == math.inf:
            raise ValueError(f"it has no usable key: {jwks.reasons()}")
        return jwks
