"""Another user's task and none at all: the database is asked the same, and it takes as long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, event, text
from tests.databases import Database
from tests.fuzz.timing import Comparison, compared
from tests.http_callers import SETTINGS, ApiClient
from tests.isolation.conftest import empty

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.core.clock import system_clock
from taskservice.core.errors import TaskNotFound
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.workspace import OpenWorkspace, Workspace
from taskservice.testing import ADA, BOB

TASKS = 100
TRIES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("HEAD", "", {}),
    ("PUT", "", {"json": {"title": "Mine now"}}),
    ("PATCH", "", {"json": {"title": "Mine now"}}),
    ("PATCH", "/complete", {}),
    ("DELETE", "", {}),
]
HEADERS: list[dict[str, str]] = [{}, {"If-Match": '"1"'}, {"Idempotency-Key": "tried"}]


class Two(NamedTuple):
    """Ada, and ids of two kinds: of tasks of Bob's, and never used. They come in turn."""

    ada: ApiClient
    foreign: list[str]
    missing: list[str]

    def seconds(self, method: str, pairs: int) -> Comparison:
        """Try ids of both kinds, in pairs, and compare how long that takes."""
        random = Random(0)  # noqa: S311
        return compared(
            lambda: self.ada(method, f"/{random.choice(self.foreign)}"),
            lambda: self.ada(method, f"/{random.choice(self.missing)}"),
            pairs=pairs,
            random=random,
        )


def two(open_workspace: OpenWorkspace) -> Two:
    """Give Ada and Bob tasks, and take ids that could have been theirs."""
    client = create_app(open_workspace, SETTINGS).test_client()
    new_id = TimeOrderedIds()
    found = Two(ApiClient(client, ADA), [], [])
    bob = ApiClient(client, BOB)
    for _ in range(TASKS):
        found.ada.create()
        found.foreign.append(bob.create()["id"])
        found.missing.append(str(new_id(system_clock())))
    return found


class Telling:
    """The port with a flaw: for a task of somebody else's, one query more is sent."""

    def __init__(self, open_workspace: OpenWorkspace, engine: Engine) -> None:
        self._open_workspace = open_workspace
        self._engine = engine
        self.foreign: set[str] = set()

    @contextmanager
    def open_workspace(self, owner: str, *, atomic: bool = False) -> Iterator[Workspace]:
        """Yield the workspace of `owner`."""
        try:
            with self._open_workspace(owner, atomic=atomic) as workspace:
                yield workspace
        except TaskNotFound as error:
            if str(error.entity_id) in self.foreign:
                with self._engine.connect() as connection:
                    connection.execute(text("SELECT 1"))
            raise


@pytest.fixture
def sound(database: Database, role_engine: Engine) -> Two:
    """The service as it is."""
    empty(database)
    return two(SqlStorage(role_engine).open_workspace)


@pytest.fixture
def flawed(database: Database, role_engine: Engine) -> Two:
    """The service with the flaw."""
    empty(database)
    telling = Telling(SqlStorage(role_engine).open_workspace, role_engine)
    found = two(telling.open_workspace)
    telling.foreign.update(found.foreign)
    return found


@contextmanager
def sent(engine: Engine) -> Iterator[list[tuple[str, int]]]:
    """Gather the statements that go to the database, and how many rows each found or wrote."""
    statements: list[tuple[str, int]] = []

    def gather(*args: Any) -> None:
        _, cursor, statement, *_ = args
        statements.append((statement, cursor.rowcount))

    event.listen(engine, "after_cursor_execute", gather)
    yield statements
    event.remove(engine, "after_cursor_execute", gather)


def statements_of(two: Two, engine: Engine, task_id: str) -> list[list[tuple[str, int]]]:
    """Return what is sent for a task, for each way to try it."""
    gathered = []
    for method, path, request in TRIES:
        for headers in HEADERS:
            with sent(engine) as statements:
                response = two.ada(method, f"/{task_id}{path}", headers=headers, **request)
            assert response.status_code == 404
            gathered.append(statements)
    return gathered


def test_the_database_gets_the_same_statements(sound: Two, role_engine: Engine) -> None:
    """For a foreign id and a missing one the same statements go out, and find as many rows."""
    foreign = statements_of(sound, role_engine, sound.foreign[0])
    assert foreign == statements_of(sound, role_engine, sound.missing[0])
    assert all(foreign)


def test_a_question_more_is_seen(flawed: Two, role_engine: Engine) -> None:
    """The comparison of statements sees one that goes out for a foreign id alone."""
    foreign = statements_of(flawed, role_engine, flawed.foreign[0])
    assert foreign != statements_of(flawed, role_engine, flawed.missing[0])


@pytest.mark.lengthy
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_it_takes_as_long(sound: Two, method: str, cases: int, tell: Callable[[str], None]) -> None:
    """A foreign id and a missing one cannot be told apart by the time that the answer takes."""
    comparison = sound.seconds(method, cases // 2)
    tell(str(comparison))
    assert not comparison.is_measurable


@pytest.mark.lengthy
def test_a_difference_would_be_measured(
    flawed: Two, cases: int, tell: Callable[[str], None]
) -> None:
    """The comparison of times finds one query more, in a tenth of the tries."""
    comparison = flawed.seconds("GET", cases // 20)
    tell(str(comparison))
    assert comparison.is_measurable
    assert comparison.seconds > 0
