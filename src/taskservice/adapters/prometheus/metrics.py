"""A `Metrics` that counts. Every label has few values, whatever clients send."""

from collections.abc import Callable
from functools import cache
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from taskservice.core.operations.metrics import FinishedRequest, Metrics, WriteOutcome

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Durations in seconds."""

NO_ROUTE = "none"
OUTCOMES: tuple[WriteOutcome, ...] = ("applied", "not_applied", "unknown")


def counting() -> Metrics:
    """Return a watch that counts, in the files that this process shares with whoever serves them.

    There is one for a process: a second would write over what it counts.
    """
    return _Counting()


class _Counting(Metrics):
    """Counts what one process does; of gauges, the processes that live are summed up."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._count, self._time = self._requests()
        self._in_progress = self._gauge("requests_in_progress", "Requests that are being answered.")
        self._writes = self._outcomes("writes", "Writes, by what became of them.")
        self._resolved = self._outcomes(
            "commits_resolved", "Commits whose answer was lost, by what was found out."
        )
        self._size = self._gauge("database_connections_max", "Connections that there may be.")
        self._in_use = self._gauge("database_connections_in_use", "Connections in use.")
        self._waiting = self._gauge("database_waiting", "Requests that wait for a connection.")
        self._gave_up = self._counter("database_wait_timeouts", "Waits for a connection in vain.")
        self._fetched = cache(self._key_set_fetched)
        self._not_fetched = self._counter("key_set_fetch_failures", "Fetches of keys that failed.")

    def request_started(self) -> None:
        self._in_progress.inc()

    def request_finished(self, request: FinishedRequest) -> None:
        route = request.route or NO_ROUTE
        self._count(request.method, route, request.status).inc()
        self._time(request.method, route).observe(request.seconds)
        if request.outcome is not None:
            self._writes[request.outcome].inc()

    def request_closed(self) -> None:
        self._in_progress.dec()

    def pool_created(self, size: int) -> None:
        self._size.set(size)

    def connections_in_use(self, count: int) -> None:
        self._in_use.set(count)

    def pool_waiting(self, change: Literal[1, -1]) -> None:
        self._waiting.inc(change)

    def pool_timed_out(self) -> None:
        self._gave_up.inc()

    def jwks_fetched(self, at: float) -> None:
        self._fetched().set(at)

    def jwks_fetch_failed(self) -> None:
        self._not_fetched.inc()

    def commit_resolved(self, outcome: WriteOutcome) -> None:
        self._resolved[outcome].inc()

    def _requests(self) -> tuple[Callable[..., Counter], Callable[..., Histogram]]:
        """Return what finds the counter and the histogram of some labels, and remembers them."""
        count = Counter(
            "taskservice_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        time = Histogram(
            "taskservice_request_duration_seconds",
            "Time until the answer began.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        return cache(count.labels), cache(time.labels)

    def _counter(self, name: str, help_: str) -> Counter:
        return Counter(f"taskservice_{name}", help_, registry=self._registry)

    def _outcomes(self, name: str, help_: str) -> dict[WriteOutcome, Counter]:
        counter = Counter(f"taskservice_{name}", help_, ("outcome",), registry=self._registry)
        return {outcome: counter.labels(outcome) for outcome in OUTCOMES}

    def _gauge(self, name: str, help_: str) -> Gauge:
        return Gauge(
            f"taskservice_{name}", help_, registry=self._registry, multiprocess_mode="livesum"
        )

    def _key_set_fetched(self) -> Gauge:
        """Return the gauge, which is there from its first value on: with a secret it has none."""
        return Gauge(
            "taskservice_key_set_fetched_timestamp_seconds",
            "When keys were last fetched, by the process where that is longest ago; 0 is never.",
            registry=self._registry,
            multiprocess_mode="livemin",
        )
