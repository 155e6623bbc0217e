"""The limit as it is deployed: gunicorn on a socket, one process and several, with a real Redis."""

import itertools
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.http_callers import token_of
from tests.processes import Answer, Service, gunicorn
from tests.redis_server import RedisServer, redis_server
from tests.secret_values import SECRET
from tests.system.conftest import command

MIN_WINDOW_SECONDS = 40
"""Seconds that a window must still have, so that it does not end while a test counts."""


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    """The settings of a service over a migrated file of its own."""
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/tasks.db", "TASKSERVICE_JWT_SECRET": SECRET}
    command(tmp_path, "db", "upgrade", **settings)
    return settings


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


class User:
    """A user whose window has long to go, who has sent one request so far."""

    def __init__(self, service: Service, name: str) -> None:
        self._service = service
        for number in itertools.count():
            self.path = f"/api/tasks/{name}-{number}/tasks"
            self._token = token_of(f"{name}-{number}")
            if seconds_left(self.ask()) >= MIN_WINDOW_SECONDS:
                return

    def ask(self) -> Answer:
        return self._service("GET", self.path, self._token)

    def statuses(self, times: int) -> Counter[int]:
        """Ask so many times, from eight clients at once, and return what was answered."""
        with ThreadPoolExecutor(8) as pool:
            return Counter(pool.map(lambda _: self.ask().status, range(times)))


def seconds_left(answer: Answer) -> int:
    return int(answer.headers["RateLimit"].rpartition("t=")[2])


def test_the_default_takes_600_a_minute(tmp_path: Path, sqlite: dict[str, str]) -> None:
    """The 600th is served and the 601st is not; another user and the probes are."""
    settings = {"TASKSERVICE_RATE_LIMIT": "", "WEB_CONCURRENCY": "1"}
    with gunicorn(tmp_path, **sqlite, **settings) as service:
        ada = User(service, "ada")
        assert ada.statuses(598) == {200: 598}
        last = ada.ask()
        assert (last.status, last.headers["RateLimit-Policy"]) == (200, '"user";q=600;w=60')
        assert last.headers["RateLimit"].startswith('"user";r=0;t=')
        refused = ada.ask()
        assert (refused.status, refused.json["type"]) == (429, "/problems/too-many-requests")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert User(service, "bob").ask().status == 200
        assert service("GET", "/livez").status == 200


def test_processes_count_together_in_redis(
    tmp_path: Path, sqlite: dict[str, str], redis: RedisServer
) -> None:
    """Two workers take the quota once, and two services of the same Redis as well."""
    settings = {
        **sqlite,
        "TASKSERVICE_RATE_LIMIT": "100/minute",
        "TASKSERVICE_RATE_LIMIT_STORAGE": redis.address,
    }
    with gunicorn(tmp_path, **settings) as service, gunicorn(tmp_path, **settings) as another:
        ada = User(service, "ada")
        assert ada.statuses(200) == {200: 99, 429: 101}
        assert another("GET", ada.path, token_of(ada.path.split("/")[3])).status == 429


def test_a_redis_that_dies_takes_nothing_with_it(
    tmp_path: Path, sqlite: dict[str, str], redis: RedisServer
) -> None:
    """Each request is served, and counted by its process; the log says so, and no address."""
    settings = {
        **sqlite,
        "TASKSERVICE_RATE_LIMIT": "100/minute",
        "TASKSERVICE_RATE_LIMIT_STORAGE": redis.address,
        "WEB_CONCURRENCY": "1",
    }
    with gunicorn(tmp_path, **settings) as service:
        ada = User(service, "ada")
        assert ada.statuses(50) == {200: 50}
        redis.stop()
        assert ada.statuses(150) == {200: 100, 429: 50}
        assert service("GET", "/readyz").status == 200
        assert service.stop() == 0
        service.output.finish()
        logged = [line for line in service.output if "rate limit store unavailable" in line]
    assert '"level": "warning"' in logged[0]
    assert '"reason": "ConnectionError"' in logged[0]
    assert not any("127.0.0.1" in line for line in logged)
