"""The port that hears what happens, so that somebody can count it."""

from typing import Literal, NamedTuple

WriteOutcome = Literal["applied", "not_applied", "unknown"]
"""What became of a write."""


class FinishedRequest(NamedTuple):
    """One request that was answered.

    `route` is the rule that it met, None where there is none; `method` is one
    of a closed set; `seconds` are those until the answer began. `outcome` is
    what became of a write, None where nothing was to be written or the
    request was refused.
    """

    method: str
    route: str | None
    status: int
    seconds: float
    outcome: WriteOutcome | None


class Metrics:
    """Hears what happens, and does nothing about it unless a subclass does.

    Many threads call it, in the middle of their work: each method is quick
    and raises nothing.
    """

    def began(self) -> None:
        """A request has begun."""

    def answered(self, request: FinishedRequest) -> None:
        """A request was answered."""

    def ended(self) -> None:
        """A request that had begun is over, whether it was answered or not."""

    def pool_created(self, size: int) -> None:
        """This process may have `size` connections to the database."""

    def connections_in_use(self, count: int) -> None:
        """So many connections to the database are in use from now on."""

    def waiting(self, change: Literal[1, -1]) -> None:
        """One more, or one less, waits for the database."""

    def pool_timed_out(self) -> None:
        """Somebody waited for the database in vain."""

    def jwks_fetched(self, at: float) -> None:
        """The issuer's keys were fetched; `at` is in seconds of Unix time, 0 for never yet."""

    def jwks_fetch_failed(self) -> None:
        """An attempt to fetch the issuer's keys has failed."""

    def commit_resolved(self, outcome: WriteOutcome) -> None:
        """The answer to a COMMIT was lost, and this was found out about it."""


NO_METRICS = Metrics()
"""Hears everything, and does nothing about it."""
