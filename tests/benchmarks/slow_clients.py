"""What 1,000 slow clients at nginx cost honest ones.

    python -m tests.benchmarks.slow_clients [--slow 1000] [--rounds 20] [--limit 2]

nginx as `docs/deploy/nginx.conf` sets it up, gunicorn with two workers, PostgreSQL. Half of the
slow clients send half a request, half do not read their answer. Two honest clients create, read,
list, search, change and delete, in rounds with and without the slow ones, in turns. Ends with 1
where the honest 99th percentile is more than `--limit` times the one without.
"""

import argparse
import resource
import socket
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

from tests.benchmarks.clients import Client
from tests.databases import migrated_database
from tests.http_callers import token_of
from tests.nginx import in_front_of
from tests.postgres import PostgresServer
from tests.processes import SECONDS, gunicorn
from tests.secret_values import SECRET

HONEST, ROUND = 2, 30
SLOW_READER = "slow-reader"
PATH = f"/api/tasks/{SLOW_READER}/tasks"
UNLIMITED = {"TASKSERVICE_RATE_LIMIT": "off"}


def head(method: str, path: str, *lines: str) -> bytes:
    bearer = f"Authorization: Bearer {token_of(SLOW_READER)}"
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", bearer, *lines, "", ""]).encode()


UNREAD = head("GET", f"{PATH}?limit=8")
HALF_A_HEAD = head("GET", PATH)[:60]
HALF_A_BODY = head("POST", PATH, "Content-Type: application/json", "Content-Length: 60000") + b"{"


class TimedClient(Client):
    """A client that knows how long each answer took, in ms."""

    def __init__(self, address: str, user: str) -> None:
        self.times: list[float] = []
        super().__init__(address, user)

    def ask(self, method: str, path: str, body: object = None, of: str = "tasks") -> bytes:
        began = perf_counter()
        answer = super().ask(method, path, body, of)
        self.times.append((perf_counter() - began) * 1000)
        return answer


@contextmanager
def service() -> Iterator[str]:
    """Yield the address of the service behind nginx."""
    settings = {"TASKSERVICE_JWT_SECRET": SECRET, "TASKSERVICE_PROXIES": "1"}
    with ExitStack() as stack:
        database = stack.enter_context(
            migrated_database(stack.enter_context(PostgresServer(durable=False)))
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = gunicorn(folder, DATABASE_URL=database.service, **settings, **UNLIMITED)
        yield stack.enter_context(in_front_of(stack.enter_context(running).address))


@contextmanager
def crowd(address: str, size: int) -> Iterator[None]:
    """Have so many slow clients connected, until the block ends."""
    with ExitStack() as stack:
        readers = [stack.enter_context(slow(address, UNREAD)) for _ in range(size // 2)]
        for reader in readers:
            # The service has done its part for this one: what remains is nginx's.
            assert reader.recv(1) == b"H"
        half_sent = [HALF_A_HEAD, HALF_A_BODY] * (size // 4)
        senders = [stack.enter_context(slow(address, request)) for request in half_sent]
        yield
        assert all(map(is_connected, readers + senders)), "nginx has hung up on slow clients"


def slow(address: str, request: bytes) -> socket.socket:
    """Send something, and leave it at that."""
    place = urlsplit(address)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(SECONDS)
    client.connect((place.hostname, place.port))
    client.sendall(request)
    return client


def is_connected(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return bool(client.recv(1))
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def measured(clients: list[TimedClient]) -> list[float]:
    """Return how long each answer took in one round, in ms."""
    for client in clients:
        client.times.clear()

    def use(client: TimedClient) -> None:
        for _ in range(ROUND):
            client.go_round()

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(use, clients))
    return [time for client in clients for time in client.times]


def compare(address: str, size: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the honest times without a crowd, and with one."""
    big = Client(address, SLOW_READER)
    for _ in range(8):
        big.ask("POST", "", {"title": "Buy milk", "description": "x" * 10_000})
    clients = [TimedClient(address, f"user-{number}") for number in range(HONEST)]
    measured(clients)
    alone, among = [], []
    for _ in range(rounds):
        alone += measured(clients)
        with crowd(address, size):
            among += measured(clients)
    return alone, among


def percentile(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def main() -> None:
    """Print what the honest clients notice, and end with 1 where it is too much."""
    parser = argparse.ArgumentParser(description="What slow clients at nginx cost honest ones.")
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limit", type=float, default=2)
    chosen = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with service() as address:
        alone, among = compare(address, chosen.slow, chosen.rounds)
    for name, times in {"without": alone, f"with {chosen.slow} slow": among}.items():
        p50, p99 = median(times), percentile(times)
        print(f"{name:16} {len(times):6} requests, p50 {p50:6.2f} ms, p99 {p99:6.2f} ms")
    ratio = percentile(among) / percentile(alone)
    print(f"p99 among slow clients: {ratio:.2f} times the one without")
    sys.exit(ratio > chosen.limit)


if __name__ == "__main__":
    main()
