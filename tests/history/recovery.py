"""How long the service needs to be itself again: `python -m tests.history.recovery` prints it."""

import itertools
import time
from collections import Counter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.history.load import SUCCESSES, Calls, at_once, await_success, bare_loop, loading, warm
from tests.history.targets import Target, direct
from tests.postgres import PostgresServer
from tests.proxy import Wire

RESTARTS = 5
DOWN_SECONDS = 0.5
"""How long the database is down, beyond the time that it needs to stop and start."""
WAKE_SECONDS = 0.8


class Restart(NamedTuple):
    """A restart of the database under load, in seconds from when it was down.

    `bare` is when a loop of plain psycopg was served again, `served` when the
    first request was; `statuses` counts all answers from its stop until a
    reading and a writing were.
    """

    bare: float
    served: float
    statuses: Counter[int]

    @property
    def ratio(self) -> float:
        """Return how many times as long as plain psycopg the service was away."""
        return self.served / self.bare


def restart_under_load(target: Target) -> Restart:
    """Restart the database while requests come, one after another from each caller."""
    assert target.database is not None
    with loading(target) as calls, bare_loop(target) as await_bare:
        began = time.monotonic()
        target.database.stop("fast")
        down = time.monotonic()
        time.sleep(DOWN_SECONDS)
        target.database.start()
        bare = await_bare(down)
        served = await_success(calls, down)
        both = max(await_success(calls, down, {status}) for status in SUCCESSES)
    during = [call for call in list(calls) if began < call.ended <= both]
    return Restart(bare - down, served - down, Counter(call.status for call in during))


def idle_restart(target: Target) -> Calls:
    """Restart the database while nobody calls; then let all call at once."""
    assert target.database is not None
    warm(target)
    target.database.restart("fast")
    return at_once(target)


def wake(target: Target) -> Calls:
    """Cut the connections, and let new ones take as long as a database that wakes."""
    wire = _warmed(target)
    wire.cut()
    wire.delay = WAKE_SECONDS
    calls = at_once(target)
    wire.delay = 0
    return calls


def silence(target: Target) -> Calls:
    """Swallow what is sent, on connections that there are, then also on those that are made."""
    wire = _warmed(target)
    wire.is_silent = True
    both = [at_once(target), at_once(target)]
    wire.is_silent = False
    wire.cut()
    return Calls(both[0].statuses + both[1].statuses, max(calls.longest for calls in both))


def _warmed(target: Target) -> Wire:
    """Return the wire that the service's connections go over, once there are some."""
    warm(target)
    assert target.wire is not None
    return target.wire


def told(restarts: list[Restart]) -> str:
    """Return what came of several restarts: medians, and all statuses together."""
    statuses = Counter(itertools.chain.from_iterable(one.statuses.elements() for one in restarts))
    lags = [restart.served - restart.bare for restart in restarts]
    return (
        f"{len(restarts)} restarts: served {median(lags) * 1000:.0f} ms after plain psycopg, at "
        f"most {max(lags) * 1000:.0f} ms; {median(one.ratio for one in restarts):.2f} times its "
        f"time; statuses {dict(statuses)}"
    )


def main() -> None:
    """Measure, and print."""
    with (
        TemporaryDirectory() as folder,
        PostgresServer() as database,
        direct(Path(folder), database) as target,
    ):
        print("restart under load,", told([restart_under_load(target) for _ in range(RESTARTS)]))
        print(f"idle restart: {idle_restart(target)}")
        print(f"wake of {WAKE_SECONDS} s: {wake(target)}")
        print(f"silent partition: {silence(target)}")


if __name__ == "__main__":
    main()
