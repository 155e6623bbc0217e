"""`wsgi:app` behind gunicorn, as it is deployed, on SQLite and PostgreSQL."""

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.http_callers import token_of
from tests.processes import SECONDS, Answer, Service, gunicorn

PATH = "/api/tasks/ada/tasks"


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, production: dict[str, str]
) -> Iterator[Service]:
    """One service for all tests that neither stop it nor mind the tasks of one another."""
    with gunicorn(tmp_path_factory.mktemp("shared"), **production) as service:
        yield service


@pytest.fixture
def service(shared: Service) -> Service:
    """The shared service, without a task of Ada's."""
    for task in shared("GET", PATH, ADA).json:
        assert shared("DELETE", f"{PATH}/{task['id']}", ADA).status == 204
    return shared


ADA = token_of("ada")


def is_problem(answer: Answer, status: int, kind: str) -> bool:
    """Tell whether `answer` is that problem, in its media type."""
    return (answer.status, answer.json["type"], answer.headers["Content-Type"]) == (
        status,
        f"/problems/{kind}",
        "application/problem+json",
    )


def test_the_whole_story(service: Service) -> None:
    """Create, list, read, update, patch, complete, reopen, delete, and every common refusal."""
    created = service("POST", PATH, ADA, {"title": "Buy milk", "description": "Two liters"})
    task = created.json
    address = created.headers["Location"]
    assert (created.status, address) == (201, f"{PATH}/{task['id']}")
    assert service("GET", PATH, ADA).json == [task]
    assert service("GET", address, ADA).json == task
    updated = service("PUT", address, ADA, {"title": "Buy oat milk"})
    assert (updated.status, updated.headers["ETag"]) == (200, '"2"')
    assert updated.json["description"] == "Two liters"
    patched = service("PATCH", address, ADA, {"description": None})
    assert (patched.status, patched.json["description"]) == (200, None)
    done = service("PATCH", f"{address}/complete", ADA)
    assert (done.status, done.json["completed"], done.json["version"]) == (200, True, 4)
    reopened = service("PATCH", f"{address}/complete", ADA, {"completed": False})
    assert (reopened.json["completed"], reopened.json["completed_at"]) == (False, None)
    assert is_problem(service("GET", PATH), 401, "unauthenticated")
    assert is_problem(service("GET", PATH, token_of("bob")), 403, "not-your-tasks")
    assert is_problem(service("POST", PATH, ADA, {"title": " "}), 422, "invalid-request")
    assert is_problem(service("GET", f"{PATH}/{uuid4()}", ADA), 404, "task-not-found")
    foreign = address.replace("/ada/", "/bob/")
    assert is_problem(service("GET", foreign, token_of("bob")), 404, "task-not-found")
    deleted = service("DELETE", address, ADA)
    assert (deleted.status, deleted.body) == (204, b"")
    assert "Content-Type" not in deleted.headers
    assert is_problem(service("GET", address, ADA), 404, "task-not-found")


def test_tasks_outlive_a_restart(tmp_path: Path, production: dict[str, str]) -> None:
    """After a stop and a start the tasks are there, with the same times and versions."""
    path, token = PATH.replace("ada", "restarter"), token_of("restarter")
    with gunicorn(tmp_path, **production) as service:
        tasks = [service("POST", path, token, {"title": f"Task {n}"}).json for n in range(3)]
        tasks[1] = service("PATCH", f"{path}/{tasks[1]['id']}/complete", token).json
        assert service.stop() == 0
    with gunicorn(tmp_path, **production) as service:
        assert service("GET", path, token).json == tasks[::-1]


def test_a_killed_worker_loses_nothing(tmp_path: Path, production: dict[str, str]) -> None:
    """What was acknowledged is there, though the whole service was killed right after."""
    path, token = PATH.replace("ada", "survivor"), token_of("survivor")
    with gunicorn(tmp_path, **production) as service:
        tasks = [service("POST", path, token, {"title": f"Task {n}"}).json for n in range(20)]
        service.process.send_signal(signal.SIGKILL)
        service.process.wait(SECONDS)
    with gunicorn(tmp_path, **production) as service:
        assert service("GET", path, token).json == tasks[::-1]


def test_parallel_changes_over_processes_are_all_kept(service: Service) -> None:
    """Completions and edits from many clients at once, over two processes, keep every change."""
    task = service("POST", PATH, ADA, {"title": "0"}).json
    address = f"{PATH}/{task['id']}"

    def edit(n: int) -> int:
        body = {"title": f"{n}"} if n % 2 else {"description": f"{n}"}
        return service("PATCH", address, ADA, body).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(edit, range(40))) == {200}
    after = service("GET", address, ADA).json
    assert after["version"] == 41
    assert int(after["title"]) % 2 == 1
    assert int(after["description"]) % 2 == 0


def test_the_proxy_headers_of_gunicorn_are_off(service: Service) -> None:
    """Not even 127.0.0.1 is believed: no `X-Forwarded-…`, no `SCRIPT_NAME`."""
    lies = {
        "SCRIPT_NAME": "/evil",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Script-Name": "/evil",
    }
    created = service("POST", PATH, ADA, {"title": "Buy milk"}, **lies)
    assert created.status == 201
    assert created.headers["Location"].startswith("/api/")


def raw(service: Service, request: bytes) -> bytes:
    """Send bytes, and return what comes back until the connection closes."""
    place = urlsplit(service.address)
    with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def head(method: str, *lines: str) -> bytes:
    fixed = [f"{method} {PATH} HTTP/1.1", "Host: x", f"Authorization: Bearer {ADA}"]
    return "\r\n".join([*fixed, "Connection: close", *lines, "", ""]).encode()


def test_a_chunked_body_is_bounded_too(service: Service) -> None:
    """Without a length, a body over the limit is 413 as well, and one within it is read whole."""
    chunked = head("POST", "Content-Type: application/json", "Transfer-Encoding: chunked")

    def body(size: int) -> bytes:
        filler = b'{"title": "x", "description": "%s"}' % (b"y" * size)
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(filler), filler)

    assert raw(service, chunked + body(9_000)).startswith(b"HTTP/1.1 201")
    assert raw(service, chunked + body(200_000)).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("chunk", [b"zz\r\nx\r\n0\r\n\r\n", b"-1\r\n", b"5\r\n{}"])
def test_a_broken_chunk_is_400(service: Service, chunk: bytes) -> None:
    """A body whose framing is broken, or that ends too soon, is refused, and nothing is stored."""
    place = urlsplit(service.address)
    chunked = head("POST", "Content-Type: application/json", "Transfer-Encoding: chunked")
    with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as connection:
        connection.sendall(chunked + chunk)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
    assert service("GET", PATH, ADA).json == []


def test_an_encoded_slash_reaches_no_handler(service: Service) -> None:
    """`%2F` is part of a name and no separator: what it would spell is no route."""
    for path in ("/api/tasks/ada%2Ftasks", "/api/tasks%2fada/tasks"):
        assert is_problem(service("GET", path, ADA), 404, "not-found")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head("GET").replace(b"tasks HTTP", b"tasks?" + b"x" * 9_000 + b" HTTP"), b"414"),
        (head("GET", "X-Long: " + "x" * 9_000), b"431"),
        (head("GET", *(f"X-{n}: x" for n in range(101))), b"431"),
        (head("POST", "Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n", b"400"),
        (head("POST", "Content-Length: 2", "Content-Length: 3") + b"{}", b"400"),
    ],
)
def test_broken_framing_never_reaches_the_application(
    service: Service, request_bytes: bytes, status: bytes
) -> None:
    """gunicorn refuses what is too long or ambiguous, and closes the connection."""
    answer = raw(service, request_bytes.replace(b"Connection: close\r\n", b""))
    assert answer.split(b" ")[1] == status
    assert service("GET", PATH, ADA).json == []
