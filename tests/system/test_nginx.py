"""Through nginx, as `docs/deploy/nginx.conf` has it: what it must pass on, and what it answers.

Needs Debian's package nginx: `tox -e nginx` runs it.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from urllib.parse import quote, urlsplit

import pytest
from tests.databases import sqlite_database
from tests.hostile.transports import Answer as Raw
from tests.hostile.transports import read_answer
from tests.http_callers import token_of
from tests.nginx import DOCUMENT, fronted, in_front_of
from tests.processes import SECONDS, Answer, Service, gunicorn
from tests.secret_values import SECRET

from taskservice.core.task import TITLE_LIMIT
from taskservice.server import gunicorn_conf

pytestmark = pytest.mark.nginx

PATH = "/api/tasks/ada/tasks"
ADA = token_of("ada")


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as its operator starts it behind one proxy."""
    folder = tmp_path_factory.mktemp("nginx")
    settings = {
        "DATABASE_URL": sqlite_database(folder),
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_PROXIES": "1",
    }
    with gunicorn(folder, **settings) as service:
        yield service


@pytest.fixture(scope="module")
def service(direct: Service) -> Iterator[Service]:
    with fronted(direct) as service:
        yield service


def exchanged(service: Service, *lines: str, body: bytes = b"") -> Raw:
    """Send a request as it is written here, and return the answer."""
    return sent(service.address, [*lines, "Connection: close"], body)


def sent(address: str, lines: list[str], body: bytes = b"") -> Raw:
    """Send it and keep our end open: nginx takes one that is half closed for a client that left."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        received = b"".join(iter(partial(connection.recv, 65536), b""))
    return read_answer(received, lines[0].partition(" ")[0])


def is_problem(answer: Answer | Raw, status: int, kind: str) -> bool:
    return (answer.status, answer.json["type"], answer.headers["Content-Type"]) == (
        status,
        f"/problems/{kind}",
        "application/problem+json",
    )


def test_a_strong_tag_stays_strong(service: Service) -> None:
    """Who takes gzip gets the tag that the service gave, and can send it back in `If-Match`."""
    created = service("POST", PATH, ADA, {"title": "Buy milk", "description": "x" * 5_000})
    address = created.headers["Location"]
    read = service("GET", address, ADA, **{"Accept-Encoding": "gzip"})
    assert (read.headers["ETag"], "Content-Encoding" in read.headers) == ('"1"', False)
    changed = service("PUT", address, ADA, {"title": "Buy bread"}, **{"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    fresh = service("GET", address, ADA, **{"If-None-Match": '"2"', "Accept-Encoding": "gzip"})
    assert (fresh.status, fresh.headers["ETag"]) == (304, '"2"')


@pytest.mark.parametrize(
    ("size", "detail"), [(193 * 1024, "service"), (257 * 1024, "nginx"), (10 * 1024**2, "nginx")]
)
def test_a_body_over_the_limit_is_the_same_problem(
    service: Service, size: int, detail: str
) -> None:
    """413 as problem details: from the service where nginx lets it through, else from nginx."""
    head = ["Content-Type: application/json", f"Content-Length: {size}"]
    answer = exchanged(
        service,
        f"POST {PATH} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {ADA}",
        *head,
        body=b" " * size,
    )
    assert is_problem(answer, 413, "body-too-large")
    assert ("instance" in answer.json) == (detail == "service")


@pytest.mark.parametrize("user", ["auth0|bob", "ada@example.com", "a~b", "a:b+c=d", "%7E|@"])
def test_every_name_of_a_user_reaches_the_service(service: Service, user: str) -> None:
    """A name is the same, written out or percent-encoded: nginx neither decodes nor encodes it."""
    name = user.replace("%7E", "~")
    created = service("POST", f"/api/tasks/{user}/tasks", token_of(name), {"title": "Buy milk"})
    assert (created.status, created.json["user_id"]) == (201, name)
    encoded = f"/api/tasks/{quote(name, safe='')}/tasks"
    assert service("GET", encoded, token_of(name)).json == [created.json]
    assert service("GET", created.headers["Location"], token_of(name)).json == created.json


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/tasks/ada%2Ftasks", 404),
        ("/api/tasks/ada%252Ftasks/tasks", 403),
        ("/api/tasks/ada%2F..%2Fada/tasks", 404),
        ("/api/tasks//ada/tasks", 404),
        ("//api/tasks/ada/tasks", 404),
        ("/api/tasks/bob/../ada/tasks", 404),
        ("/api/tasks/bob%2F%2E%2E%2Fada/tasks", 404),
        ("/api/tasks/%61da/tasks", 200),
        ("/api/tasks/ada/tasks?q=%2F&limit=1", 200),
    ],
)
def test_a_path_is_passed_on_byte_for_byte(
    service: Service, direct: Service, path: str, status: int
) -> None:
    """What nginx would make of a path is not what the service sees: both ways answer the same."""
    for way in (service, direct):
        answer = exchanged(way, f"GET {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {ADA}")
        assert answer.status == status


def test_addresses_in_answers_need_no_proxy(service: Service) -> None:
    """`Location` and `Link` are relative; no answer is a redirect; what a client claims is gone."""
    lies = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "x"}
    for title in ("one", "two"):
        created = service("POST", PATH, ADA, {"title": title}, **lies)
        assert re.fullmatch(rf"{PATH}/[0-9a-f-]{{36}}", created.headers["Location"])
    page = service("GET", f"{PATH}?limit=1", ADA, **lies)
    assert page.headers["Link"].startswith("<?limit=1&cursor=")
    assert service("GET", "/docs/", ADA, **lies).status == 404


def test_the_request_id_is_one(service: Service) -> None:
    """A good id goes through and comes back; in place of a bad one nginx makes one for both."""
    good = service("GET", PATH, ADA, **{"X-Request-Id": "my-id.1"})
    assert good.headers["X-Request-Id"] == "my-id.1"
    bad = service("GET", PATH, ADA, **{"X-Request-Id": "x" * 65})
    assert re.fullmatch("[0-9a-f]{32}", bad.headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("lines", "status", "kind"),
    [
        ([f"GET /{'x' * 9_000} HTTP/1.1", "Host: x"], 414, "malformed-request"),
        (["GET / HTTP/1.1", "Host: x", f"X-Long: {'x' * 9_000}"], 431, "malformed-request"),
        (["GET / HTTP/1.1", "Host: x", "Content-Length: 1, 2"], 400, "malformed-request"),
        (["GET /%00 HTTP/1.1", "Host: x"], 400, "malformed-request"),
    ],
)
def test_what_nginx_refuses_is_a_problem_too(
    service: Service, lines: list[str], status: int, kind: str
) -> None:
    """nginx's own answers are problem details, with the id of the request in them."""
    answer = exchanged(service, *lines)
    assert is_problem(answer, status, kind)
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_the_limits_are_those_of_gunicorn(service: Service) -> None:
    """What gunicorn takes gets through: a request line and a field of 8,000 bytes."""
    assert gunicorn_conf.limit_request_line == gunicorn_conf.limit_request_field_size == 8190
    assert "large_client_header_buffers 4 8k;" in DOCUMENT.read_text()
    query = f"q={'x' * 190}&" + "y" * 7_800
    bearer = f"Authorization: Bearer {ADA}"
    long = exchanged(service, f"GET {PATH}?{query} HTTP/1.1", "Host: x", bearer)
    assert is_problem(long, 422, "invalid-request")
    field = exchanged(service, f"GET {PATH} HTTP/1.1", "Host: x", bearer, f"X-Long: {'x' * 8_000}")
    assert field.status == 200


def test_the_longest_link_gets_through(service: Service) -> None:
    """A page that was searched and sorted by the longest titles leads on to the next one."""
    title = "\U0001f600" * TITLE_LIMIT
    for _ in range(2):
        assert service("POST", PATH, ADA, {"title": title}).status == 201
    first = service("GET", f"{PATH}?sort=title&limit=1&q={quote(title)}", ADA)
    link = first.headers["Link"].partition(">")[0].removeprefix("<")
    second = service("GET", f"{PATH}{link}", ADA)
    assert (first.status, second.status) == (200, 200)
    assert first.json[0]["id"] != second.json[0]["id"]


def test_rejected_bodies_do_not_affect_other_clients(service: Service) -> None:
    """nginx sends the next request of anybody over the connection on which one was refused."""
    over = urlsplit(service.address).netloc
    statuses = set()
    with closing(HTTPConnection(over, timeout=SECONDS)) as hostile:
        for _ in range(100):
            hostile.request("POST", PATH, b"x" * 65_536)
            assert hostile.getresponse().read()
            statuses.add(service("POST", PATH, ADA, {"title": "Buy milk"}).status)
    assert statuses == {201}


def test_a_service_that_is_away_is_503(tmp_path: Path) -> None:
    """Nobody behind nginx: 503 with `Retry-After`, and what became of a write is not known."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    with gunicorn(tmp_path, **settings) as direct, fronted(direct) as service:
        assert service("GET", "/readyz").status == 200
        assert direct.stop() == 0
        answer = service("POST", PATH, ADA, {"title": "Buy milk"})
    assert is_problem(answer, 503, "unavailable")
    assert (answer.headers["Retry-After"], answer.json["outcome"]) == ("1", "unknown")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_no_request_is_sent_twice(method: str) -> None:
    """A kept connection that breaks under a request: 503, and the request is not sent again."""
    statuses = []
    with Moody() as upstream, in_front_of(upstream.address) as address, talking(address) as client:
        for _ in range(2):
            client.request(method, "/")
            with client.getresponse() as response:
                statuses.append(response.status)
                response.read()
    assert statuses == [204, 503]
    assert upstream.responses_received == 2


def talking(address: str) -> "closing[HTTPConnection]":
    """Return a connection that is kept: one worker of nginx serves all of it."""
    return closing(HTTPConnection(urlsplit(address).netloc, timeout=SECONDS))


class Moody:
    """Answers the first request of each connection, and hangs up at the second."""

    def __init__(self) -> None:
        self.responses_received = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Moody":
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        if connection.recv(65536):
            self.responses_received += 1
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            self.responses_received += bool(connection.recv(65536))
