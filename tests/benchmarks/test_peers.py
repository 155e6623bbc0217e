"""The floor and the peers answer as the service does; see `tests/benchmarks/speed`.

The peers run in `tox -e peers`, which installs what they need.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from itertools import islice
from operator import itemgetter
from typing import Any

import orjson
import pytest
from tests.benchmarks.speed import contenders
from tests.benchmarks.speed.contenders import Contender
from tests.benchmarks.speed.load import Connection, Load, prepare
from tests.benchmarks.speed.operations import Request
from tests.benchmarks.speed.peers import PEERS, peer
from tests.postgres import PostgresServer

ASKED = ("get", "list20", "create", "update", "complete")
REQUESTS = 6
CREATED = itemgetter("created_at")
PACKAGES = ("asyncpg", "fastapi", "httptools", "litestar", "sqlmodel", "uvicorn", "uvloop")
WHOLE = {
    "title": "Buy milk",
    "description": "Of oats.",
    "completed": True,
    "status": "cancelled",
    "due": "2026-03-29T09:00:00",
    "start": "2026-03-28T23:59:59",
    "time_zone": "Europe/Paris",
    "priority": 9,
    "labels": ["home", "shop"],
    "repeats_from": "completion",
}

_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMESTAMP = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"')
_POSITION = re.compile(rb'"position":"[0-9A-Za-z]{16}"')


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def service(server: PostgresServer) -> Iterator[Contender]:
    with contenders.service(server, {}) as running:
        yield running


@pytest.fixture(
    scope="module",
    params=["floor", *(pytest.param(name, marks=pytest.mark.peers) for name in PEERS)],
)
def other(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[Contender]:
    """The floor, or a peer. Packages that are missing are named; no test is skipped for them."""
    missing = [] if request.param == "floor" else [*filter(_is_missing, PACKAGES)]
    if missing:
        raise RuntimeError(f"{request.param} is NOT TESTED: it needs {', '.join(missing)}")
    run = contenders.floor(server) if request.param == "floor" else peer(server, request.param)
    with run as running:
        yield running


def _is_missing(package: str) -> bool:
    return find_spec(package) is None


def answers(contender: Contender) -> dict[str, list[Any]]:
    """Return what a contender answers to the first requests of each operation, to be compared."""
    return {operation: _answers(load_of(contender, operation)) for operation in ASKED}


def _answers(load: Load) -> list[Any]:
    (tasks,) = prepare(load)
    with closing(Connection(load)) as connection:
        requests = islice(load.of.requests(sorted(tasks, key=CREATED)), REQUESTS)
        return [comparable(connection.ask(request)) for request in requests]


def load_of(contender: Contender, operation: str) -> Load:
    one = Load(contender.address, operation, (), seconds=0)
    return Load(contender.address, operation, (contender.token_of(one.of.user()),), seconds=0)


def comparable(answer: Any) -> Any:
    """Return an answer without ids, timestamps and positions, which differ; their form stays.

    The floor's tasks are in the order of random ids.
    """
    ordered = sorted(answer, key=CREATED) if isinstance(answer, list) else answer
    text = _UUID.sub(b"a UUID", orjson.dumps(ordered))
    text = _POSITION.sub(b'"position":"a key"', _TIMESTAMP.sub(b'"a timestamp"', text))
    return orjson.loads(text)


def stored(contender: Contender) -> Any:
    """Return a task with all that a user may set, after it is stored."""
    with closing(Connection(load_of(contender, "create"))) as connection:
        created = connection.ask(Request("POST", "", WHOLE))
        assert connection.ask(Request("GET", f"/{created['id']}")) == created
        return comparable(created)


@pytest.fixture(scope="module")
def expected(service: Contender) -> dict[str, list[Any]]:
    return answers(service)


def test_the_answers_are_those_of_the_service(
    expected: dict[str, list[Any]], other: Contender
) -> None:
    """Every member of every task is there, no other, and its value is written alike."""
    assert {len(found) for found in expected.values()} == {REQUESTS}
    assert answers(other) == expected


def test_members_are_stored(service: Contender, other: Contender) -> None:
    """What is sent comes back, and is there afterwards; without lists, parents and recurrence."""
    found = stored(service)
    assert found.items() >= WHOLE.items()
    assert stored(other) == found


@pytest.mark.peers
@pytest.mark.parametrize(
    "wrong", [{"status": "done"}, {"priority": 10}, {"labels": [""]}, {"due": "tomorrow"}], ids=str
)
@pytest.mark.parametrize("other", PEERS, indirect=True)
def test_a_peer_validates(other: Contender, wrong: dict[str, Any]) -> None:
    """A wrong value is refused, as its users would have it."""
    with (
        closing(Connection(load_of(other, "create"))) as connection,
        pytest.raises(AssertionError, match=r"HTTP/1\.1 4"),
    ):
        connection.ask(Request("POST", "", {"title": "Buy milk", **wrong}))
