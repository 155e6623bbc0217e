"""What the rate limit costs a request, and what a token that is refused costs.

    python -m tests.benchmarks.rate_limit

Runs in process, over tasks in memory, without a socket; the log is written, and thrown away.
The Redis is a server of its own on the same machine.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

from tests.http_callers import SETTINGS, token_of
from tests.redis_server import redis_server
from tests.secret_values import SECRET

from taskservice.adapters.jwt import SharedSecret, Verifier, issue
from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.ratelimit import IN_MEMORY, create_counters
from taskservice.app import create_app
from taskservice.core.clock import system_clock
from taskservice.core.errors import Unauthenticated
from taskservice.core.operations.rate_limits import Rate, RateLimit
from taskservice.logs import configure

ROUNDS, CALLS = 30, 500
UNREACHED = Rate(9_999_999, 60)
PATH = "/api/tasks/ada/tasks"


def microseconds(work: Callable[[], object]) -> float:
    """Return what one call takes."""
    began = time.perf_counter()
    for _ in range(CALLS):
        work()
    return (time.perf_counter() - began) / CALLS * 1e6


def measured(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median of each, in microseconds, taken in turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(microseconds(work))
    return {name: median(times) for name, times in taken.items()}


def limit_at(address: str) -> Callable[[], object]:
    """Return what is done for each request of one user among 20,000."""
    limit = RateLimit(UNREACHED, create_counters(address, system_clock), system_clock)
    for number in range(20_000 if address == IN_MEMORY else 0):
        limit.hit(f"user:{number}")
    return lambda: limit.hit("user:ada")


def request(rate: str, token: str) -> Callable[[], object]:
    """Return a request for an empty list, in process and without a socket."""
    settings = replace(SETTINGS, rate_limit=rate)
    client = create_app(InMemoryStorage().open_workspace, settings).test_client()
    return lambda: client.get(PATH, headers={"Authorization": f"Bearer {token}"})


def verification(token: str) -> Callable[[], object]:
    """Return the test of a token, good or bad."""
    verify = Verifier(SharedSecret(SECRET), subject_claim="sub", issuer=None, audience=None)

    def test() -> None:
        try:
            verify(token)
        except Unauthenticated:
            return

    return test


def main() -> None:
    """Measure, and print a table."""
    configure({}, [logging.FileHandler(os.devnull)])
    good = token_of("ada")
    now, hour = datetime.now(UTC), timedelta(hours=1)
    forged = issue(SECRET[::-1], "ada", lifetime=hour, now=now)
    with redis_server() as server:
        works = {
            "a count in memory, among 20,000 users": limit_at(IN_MEMORY),
            "a count in Redis, on the same machine": limit_at(server.address),
            "a list of no tasks, without a limit": request("off", good),
            "a list of no tasks, with a limit in memory": request("9999999/minute", good),
            "the test of a valid token (HS256)": verification(good),
            "the test of a forged token (HS256)": verification(forged),
            "a forged token, answered with 401": request("9999999/minute", forged),
            "a forged token, answered with 429": request("1/day", forged),
        }
        for name, time_taken in measured(works).items():
            print(f"{name:<45}{time_taken:8.1f} µs")


if __name__ == "__main__":
    main()
