"""Workers come and go: a reload that nobody notices, a kill, and no connection of two processes."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from itertools import combinations, islice
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from tests.databases import migrated_database
from tests.http_callers import token_of
from tests.postgres import Databases
from tests.processes import SECONDS, WORKERS, Service, gunicorn
from tests.secret_values import SECRET
from tests.system.workers import await_end, sockets_to, workers

USERS = ["ada", "bob", "cleo", "dan"]


def await_ready(lines: Iterator[str], count: int) -> None:
    """Return when so many more workers answer."""
    ready = (line for line in lines if "Worker ready" in line)
    assert len(list(islice(ready, count))) == count, "the service ended"


def reload(service: Service, lines: Iterator[str]) -> None:
    """Have the service reload, and return when it consists of new workers alone."""
    old = workers(service)
    service.process.send_signal(signal.SIGHUP)
    await_ready(lines, WORKERS)
    await_end(service, old)


def use(service: Service, begun: Event, stop: Event, user: str) -> int:
    """Create and list on a kept connection until told to stop; return how many were created."""
    path = f"/api/tasks/{user}/tasks"
    headers = {"Authorization": f"Bearer {token_of(user)}", "Content-Type": "application/json"}
    with closing(HTTPConnection(urlsplit(service.address).netloc, timeout=SECONDS)) as connection:

        def ask(method: str, query: str = "", body: str | None = None) -> int:
            connection.request(method, f"{path}{query}", body, headers)
            with connection.getresponse() as response:
                response.read()
                return response.status

        count = 0
        while not stop.is_set():
            assert ask("POST", body=f'{{"title": "Task {count}"}}') == 201
            assert ask("GET", "?limit=1") == 200
            count += 1
            begun.set()
        return count


def test_a_reload_drops_no_request(tmp_path: Path, production: dict[str, str]) -> None:
    """Through a SIGHUP, until the last old worker has ended, every request succeeds, once."""
    with gunicorn(tmp_path, **production) as service, ThreadPoolExecutor(len(USERS)) as pool:
        lines, stop = iter(service.output), Event()
        await_ready(lines, WORKERS)
        begun = [Event() for _ in USERS]
        uses = [
            pool.submit(use, service, one, stop, user)
            for one, user in zip(begun, USERS, strict=True)
        ]
        assert all(one.wait(SECONDS) for one in begun)
        reload(service, lines)
        stop.set()
        counts = [one.result() for one in uses]
        for user, count in zip(USERS, counts, strict=True):
            assert total(service, user) == count


def total(service: Service, user: str) -> int:
    answer = service(
        "GET", f"/api/tasks/{user}/tasks?limit=1", token_of(user), Prefer="count=exact"
    )
    return int(answer.headers["X-Total-Count"])


def test_a_killed_worker_is_replaced(tmp_path: Path, production: dict[str, str]) -> None:
    """A worker that is killed is replaced; the other answers meanwhile, and nothing is lost."""
    path, token = "/api/tasks/ada/tasks", token_of("ada")
    with gunicorn(tmp_path, **production) as service:
        lines = iter(service.output)
        await_ready(lines, WORKERS)
        killed, spared = workers(service)
        os.kill(killed, signal.SIGKILL)
        for n in range(20):
            assert service("POST", path, token, {"title": f"Task {n}"}).status == 201
        await_ready(lines, 1)
        assert spared in workers(service)
        assert len(workers(service)) == WORKERS
        assert service("GET", "/readyz").status == 200


def test_no_connection_is_of_two_processes(tmp_path: Path, postgresql: Databases) -> None:
    """The master has no connection to the database, and no worker has another's.

    So it is at the start, after a reload, and when a worker was replaced.
    """
    with migrated_database(postgresql) as database:
        settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
        with gunicorn(tmp_path, **settings) as service:
            lines = iter(service.output)
            await_ready(lines, WORKERS)
            require_separate(service, database.service)
            reload(service, lines)
            require_separate(service, database.service)
            killed = workers(service)[0]
            os.kill(killed, signal.SIGKILL)
            await_ready(lines, 1)
            await_end(service, [killed])
            require_separate(service, database.service)


def require_separate(service: Service, database: str) -> None:
    """Have every worker connect to the database, and fail where two processes share a socket."""
    deadline, port = time.monotonic() + SECONDS, urlsplit(database).port or 5432
    connections = partial(sockets_to, port)
    while not all(map(connections, workers(service))):
        assert time.monotonic() < deadline, "a worker never connects"
        assert service("GET", "/api/tasks/ada/tasks", token_of("ada")).status == 200
    assert connections(service.process.pid) == set()
    for one, other in combinations(workers(service), 2):
        assert not connections(one) & connections(other)
