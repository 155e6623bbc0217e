"""Metrics: the port that receives events to be counted."""

from typing import Literal, NamedTuple

WriteOutcome = Literal["applied", "not_applied", "unknown"]
"""The outcome of a write."""


class FinishedRequest(NamedTuple):
    """A request for which a response was sent.

    `route` is the matched URL rule, or None. `method` is one of a closed set.
    `seconds` is the time until the response started. `outcome` is that of a
    write, or None if the request is no write or was rejected.
    """

    method: str
    route: str | None
    status: int
    seconds: float
    outcome: WriteOutcome | None


class Metrics:
    """The port, and its null object: subclasses override the methods that they need.

    Many threads call it during requests. Each method must be fast and must not
    raise.
    """

    def request_started(self) -> None:
        """Count a request that has started."""

    def request_finished(self, request: FinishedRequest) -> None:
        """Count a request whose response has started."""

    def request_closed(self) -> None:
        """Count the end of a request that had started, with or without a response."""

    def pool_created(self, size: int) -> None:
        """Record that this process may open `size` database connections."""

    def connections_in_use(self, count: int) -> None:
        """Record that `count` database connections are in use."""

    def pool_waiting(self, change: Literal[1, -1]) -> None:
        """Count one more thread, or one less, that waits for a database connection."""

    def pool_timed_out(self) -> None:
        """Count a timeout while waiting for a database connection."""

    def jwks_fetched(self, at: float) -> None:
        """Record a fetch of the key set; `at` is in seconds of Unix time, 0 if never fetched."""

    def jwks_fetch_failed(self) -> None:
        """Count a failed fetch of the key set."""

    def commit_resolved(self, outcome: WriteOutcome) -> None:
        """Count a COMMIT whose reply was lost, with the outcome that was found afterwards."""


NO_METRICS = Metrics()
"""Discards all events."""
