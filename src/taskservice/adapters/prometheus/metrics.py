"""Prometheus counters, gauges and histograms; clients cannot add label values."""

from collections.abc import Callable
from functools import cache
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from taskservice.core.operations.metrics import FinishedRequest, Metrics, WriteOutcome

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Durations in seconds."""

NO_ROUTE = "none"
OUTCOMES: tuple[WriteOutcome, ...] = ("applied", "not_applied", "unknown")


def create_metrics() -> Metrics:
    """Return the metrics of this process. Call it once: a second would overwrite the files."""
    return _PrometheusMetrics()


class _PrometheusMetrics(Metrics):
    """The metrics of one process, in its metric files; gauges are summed over live processes."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._count, self._duration = self._requests()
        self._in_progress = self._gauge("requests_in_progress", "Requests in progress.")
        self._writes = self._outcomes("writes", "Writes by outcome.")
        self._resolved = self._outcomes(
            "commits_resolved", "Commits without a reply from the database, by resolved outcome."
        )
        self._pool_size = self._gauge("database_connections_max", "Size of the connection pools.")
        self._in_use = self._gauge("database_connections_in_use", "Connections in use.")
        self._waiting = self._gauge("database_waiting", "Requests waiting for a connection.")
        self._timed_out = self._counter(
            "database_wait_timeouts", "Timed-out waits for a connection."
        )
        self._jwks_fetched = cache(self._jwks_fetched_gauge)
        self._jwks_fetch_failed = self._counter("key_set_fetch_failures", "Failed key set fetches.")

    def request_started(self) -> None:
        self._in_progress.inc()

    def request_finished(self, request: FinishedRequest) -> None:
        route = request.route or NO_ROUTE
        self._count(request.method, route, request.status).inc()
        self._duration(request.method, route).observe(request.seconds)
        if request.outcome is not None:
            self._writes[request.outcome].inc()

    def request_closed(self) -> None:
        self._in_progress.dec()

    def pool_created(self, size: int) -> None:
        self._pool_size.set(size)

    def connections_in_use(self, count: int) -> None:
        self._in_use.set(count)

    def pool_waiting(self, change: Literal[1, -1]) -> None:
        self._waiting.inc(change)

    def pool_timed_out(self) -> None:
        self._timed_out.inc()

    def jwks_fetched(self, at: float) -> None:
        self._jwks_fetched().set(at)

    def jwks_fetch_failed(self) -> None:
        self._jwks_fetch_failed.inc()

    def commit_resolved(self, outcome: WriteOutcome) -> None:
        self._resolved[outcome].inc()

    def _requests(self) -> tuple[Callable[..., Counter], Callable[..., Histogram]]:
        """Return cached functions from labels to the counter and to the histogram of requests."""
        count = Counter(
            "taskservice_requests",
            "Finished requests.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        duration = Histogram(
            "taskservice_request_duration_seconds",
            "Time until the response started.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        return cache(count.labels), cache(duration.labels)

    def _counter(self, name: str, help_: str) -> Counter:
        return Counter(f"taskservice_{name}", help_, registry=self._registry)

    def _outcomes(self, name: str, help_: str) -> dict[WriteOutcome, Counter]:
        counter = Counter(f"taskservice_{name}", help_, ("outcome",), registry=self._registry)
        return {outcome: counter.labels(outcome) for outcome in OUTCOMES}

    def _gauge(self, name: str, help_: str) -> Gauge:
        return Gauge(
            f"taskservice_{name}", help_, registry=self._registry, multiprocess_mode="livesum"
        )

    def _jwks_fetched_gauge(self) -> Gauge:
        """Return the gauge. It exists from its first value on: never with a shared secret."""
        return Gauge(
            "taskservice_key_set_fetched_timestamp_seconds",
            "Time of the last key set fetch, in the process with the oldest one; 0 if never.",
            registry=self._registry,
            multiprocess_mode="livemin",
        )
