"""How long the service needs to be itself again: `python -m tests.faults.recovery` prints it."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.faults.load import SUCCESSES, Calls, at_once, await_success, bare_loop, loading, warm
from tests.faults.postgres_crashes import FragileServer
from tests.faults.targets import Target, direct
from tests.tcp_proxy import TcpProxy

RESTARTS = 5
DOWN_SECONDS = 0.5
"""How long the database is down, beyond the time that it needs to stop and start."""
WAKE_SECONDS = 0.8


class Restart(NamedTuple):
    """A restart of the database under load, in seconds from when it was down.

    `ready` is when the server took a connection of ours again, `bare` when a
    loop of plain psycopg was served, `served` when the first request was;
    `statuses` counts all answers from its stop until a reading and a writing
    were.
    """

    ready: float
    bare: float
    served: float
    statuses: Counter[int]

    @property
    def ratio(self) -> float:
        """Return how many times as long as plain psycopg the service was away, of all that time."""
        return self.served / self.bare


def restart_under_load(target: Target) -> Restart:
    """Restart the database while requests come, one after another from each caller."""
    assert target.postgres_server is not None
    with loading(target) as calls, bare_loop(target) as await_bare:
        began = time.monotonic()
        target.postgres_server.stop("fast")
        down = time.monotonic()
        time.sleep(DOWN_SECONDS)
        target.postgres_server.start()
        ready = time.monotonic()
        bare = await_bare(down)
        served = await_success(calls, down)
        both = max(await_success(calls, down, {status}) for status in SUCCESSES)
    during = [call for call in list(calls) if began < call.ended <= both]
    statuses = Counter(call.status for call in during)
    return Restart(ready - down, bare - down, served - down, statuses)


def idle_restart(target: Target) -> Calls:
    """Restart the database while nobody calls; then let all call at once."""
    assert target.postgres_server is not None
    warm(target)
    target.postgres_server.restart("fast")
    return at_once(target)


def wake(target: Target) -> Calls:
    """Cut the connections, and let new ones take as long as a database that wakes."""
    proxy = _warmed(target)
    proxy.cut()
    proxy.delay = WAKE_SECONDS
    calls = at_once(target)
    proxy.delay = 0
    return calls


def repeated(outage: Callable[[Target], Calls], target: Target) -> Calls:
    """Return what is heard through several outages of a kind, all together."""
    each = [outage(target) for _ in range(RESTARTS)]
    return Calls(sum((one.statuses for one in each), Counter()), max(one.longest for one in each))


def silence(target: Target) -> Calls:
    """Swallow what is sent, on connections that there are, then also on those that are made."""
    proxy = _warmed(target)
    proxy.is_silent = True
    both = [at_once(target), at_once(target)]
    proxy.is_silent = False
    proxy.cut()
    return Calls(both[0].statuses + both[1].statuses, max(calls.longest for calls in both))


def _warmed(target: Target) -> TcpProxy:
    """Return the wire that the service's connections go over, once there are some."""
    warm(target)
    assert target.proxy is not None
    return target.proxy


def report(restarts: list[Restart]) -> str:
    """Return what came of several restarts: medians, and all statuses together."""
    statuses = Counter(itertools.chain.from_iterable(one.statuses.elements() for one in restarts))
    lags = [restart.served - restart.bare for restart in restarts]
    since = [restart.served - restart.ready for restart in restarts]
    return (
        f"{len(restarts)} restarts: served {_milliseconds(since)} after the server was ready, "
        f"{_milliseconds(lags)} after plain psycopg; {median(one.ratio for one in restarts):.2f} "
        f"times as long away; statuses {dict(statuses)}"
    )


def _milliseconds(seconds: list[float]) -> str:
    """Return a median, and the most."""
    return f"{median(seconds) * 1000:.0f} ms (at most {max(seconds) * 1000:.0f})"


def main() -> None:
    """Measure, and print."""
    with (
        TemporaryDirectory() as folder,
        FragileServer() as postgres_server,
        direct(Path(folder), postgres_server) as target,
    ):
        print("restart under load,", report([restart_under_load(target) for _ in range(RESTARTS)]))
        print(f"idle restart: {repeated(idle_restart, target)}")
        print(f"wake of {WAKE_SECONDS} s: {repeated(wake, target)}")
        print(f"silent partition: {silence(target)}")


if __name__ == "__main__":
    main()
