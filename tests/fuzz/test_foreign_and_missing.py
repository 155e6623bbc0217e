"""Another user's task and none at all: the database is asked the same, and it takes as long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text
from tests.databases import Database
from tests.fuzz.timing import Comparison, compared
from tests.http_callers import SETTINGS, ApiClient
from tests.isolation.conftest import empty

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.clock import system_clock
from taskservice.core.errors import TaskNotFound
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.workspace import OpenWorkspace, Workspace
from taskservice.testing import ADA, BOB

TASKS = 100
TITLED, MOVED = {"json": {"title": "Mine now"}}, {"json": {"place": "last"}}
Tries = list[tuple[str, str, dict[str, Any]]]

TRIES: Tries = [
    ("GET", "", {}),
    ("HEAD", "", {}),
    ("PUT", "", TITLED),
    ("PATCH", "", TITLED),
    ("PATCH", "", {"json": {"parent_id": str(UUID(int=0))}}),
    ("PATCH", "", {"json": {"status": "cancelled"}}),
    ("PATCH", "/complete", {}),
    ("PATCH", "/complete", {"json": {"completed": False, "time_zone": "UTC"}}),
    ("PATCH", "/position", MOVED),
    ("DELETE", "", {}),
    ("DELETE", "?subtasks=delete", {}),
    ("GET", "/history", {}),
    ("POST", "/undo", {"json": {"sequence": 1}}),
]
TRIES_OF_THE_TRASH: Tries = [
    *(("GET", "", {}), ("POST", "/restore", {}), ("DELETE", "", {})),
]
TRIES_OF_LISTS: Tries = [
    ("GET", "", {}),
    ("PATCH", "", {"json": {"name": "Mine now"}}),
    ("PATCH", "/position", MOVED),
    ("DELETE", "", {}),
    ("DELETE", "?tasks=delete", {}),
]
HEADERS: list[dict[str, str]] = [{}, {"Idempotency-Key": "tried"}, {"If-Match": '"1"'}]
"""The last one is not for a creation."""

Statements = list[tuple[str, int]]


class Two(NamedTuple):
    """Ada, and ids of two kinds: of tasks of Bob's, and never used. They come in turn.

    `foreign_list` is that of Bob's list, and `foreign_trashed` of his task in the trash.
    """

    ada: ApiClient
    foreign: list[str]
    missing: list[str]
    foreign_list: str
    foreign_trashed: str

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
    """Give Ada and Bob tasks that recur, and take ids that could have been theirs."""
    client = create_app(open_workspace, SETTINGS).test_client()
    new_id = TimeOrderedIds()
    bob = ApiClient(client, BOB)
    trashed = bob.create()["id"]
    bob("DELETE", f"/{trashed}")
    found = Two(ApiClient(client, ADA), [], [], bob.create_list()["id"], trashed)
    for _ in range(TASKS):
        found.ada.create()
        found.foreign.append(bob.create(due="2026-03-29", recurrence="FREQ=DAILY")["id"])
        found.missing.append(str(new_id(system_clock())))
    return found


class Telling:
    """The port with a flaw: for a task of somebody else's, one query more is sent."""

    def __init__(self, open_workspace: OpenWorkspace, engine: Engine) -> None:
        self._open_workspace = open_workspace
        self._engine = engine
        self.foreign: set[str] = set()

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        """Yield the workspace of `owner`."""
        try:
            with self._open_workspace(owner, atomic=atomic, origin=origin) as workspace:
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
def sent(engine: Engine) -> Iterator[Statements]:
    """Gather the statements that go to the database, and how many rows each found or wrote."""
    statements: Statements = []

    def gather(*args: Any) -> None:
        _, cursor, statement, *_ = args
        statements.append((statement, cursor.rowcount))

    event.listen(engine, "after_cursor_execute", gather)
    yield statements
    event.remove(engine, "after_cursor_execute", gather)


def statements_of(two: Two, engine: Engine, tries: Tries, path: str = "") -> list[Statements]:
    """Return what is sent for each way to try what is at `path`, with each of the headers."""
    gathered = []
    for method, suffix, request in tries:
        for headers in HEADERS[: 2 if method == "POST" else None]:
            with sent(engine) as statements:
                response = two.ada(method, f"{path}{suffix}", headers=headers, **request)
            assert response.status_code in {404, 422}
            gathered.append(statements)
    return gathered


def test_the_database_gets_the_same_statements(sound: Two, role_engine: Engine) -> None:
    """For a foreign id and a missing one the same statements go out, and find as many rows."""
    foreign = statements_of(sound, role_engine, TRIES, f"/{sound.foreign[0]}")
    assert foreign == statements_of(sound, role_engine, TRIES, f"/{sound.missing[0]}")
    assert all(foreign)


@pytest.mark.parametrize(
    ("tries", "path"), [(TRIES, ""), (TRIES_OF_THE_TRASH, "/api/tasks/ada/trash")]
)
def test_the_database_gets_the_same_statements_for_the_trash(
    sound: Two, role_engine: Engine, tries: Tries, path: str
) -> None:
    """For what another user has deleted, as a task and as one in the trash."""
    foreign, missing = (
        statements_of(sound, role_engine, tries, f"{path}/{known}")
        for known in (sound.foreign_trashed, sound.missing[0])
    )
    assert foreign == missing
    assert all(foreign)


def test_the_database_gets_the_same_statements_for_lists(sound: Two, role_engine: Engine) -> None:
    """As for tasks."""
    foreign, missing = (
        statements_of(sound, role_engine, TRIES_OF_LISTS, f"{sound.ada.lists}/{known}")
        for known in (sound.foreign_list, sound.missing[0])
    )
    assert foreign == missing


def test_the_database_gets_the_same_statements_for_references(
    sound: Two, role_engine: Engine
) -> None:
    """For ids in bodies, which are looked up: a list, a parent and a neighbor."""
    own = f"/{sound.ada.create()['id']}"
    foreign, missing = (
        statements_of(sound, role_engine, references(own, task, known))
        for task, known in (
            (sound.foreign[0], sound.foreign_list),
            (sound.missing[0], sound.missing[1]),
        )
    )
    assert foreign == missing


def test_the_database_gets_the_same_statements_for_a_series(
    sound: Two, role_engine: Engine
) -> None:
    """For the id of a foreign series, that of its first task, and a missing one."""
    gathered = []
    for series_id in (sound.foreign[0], sound.missing[0]):
        with sent(role_engine) as statements:
            found = sound.ada("GET", f"?series_id={series_id}", headers={"Prefer": "count=exact"})
        assert (found.status_code, found.json) == (200, [])
        gathered.append(statements)
    assert gathered[0] == gathered[1] != []


@pytest.mark.parametrize("mode", ["atomic", "each"])
def test_the_database_gets_the_same_statements_for_batches(
    sound: Two, role_engine: Engine, mode: str
) -> None:
    """For ids in commands. If one that fails ends the batch, the others are the next batch's."""
    gathered = []
    for task, list_id in (
        (sound.foreign[0], sound.foreign_list),
        (sound.missing[0], sound.missing[1]),
    ):
        commands = commands_on(task, list_id)
        batches = [commands] if mode == "each" else [[one] for one in commands]
        with sent(role_engine) as statements:
            statuses = [one for batch in batches for one in run(sound.ada, mode, batch)]
        assert statuses == [404, 404, 404, 404, 422, 422, 422]
        gathered.append(statements)
    assert gathered[0] == gathered[1] != []


def commands_on(task: str, list_id: str) -> list[dict[str, Any]]:
    """Return a command of each operation on a task, and others that refer to it and a list."""
    return [
        {"op": "update", "id": task, "changes": {"title": "Mine now"}},
        {"op": "complete", "id": task, "if_match": "1"},
        {"op": "delete", "id": task, "subtasks": "delete"},
        {"op": "restore", "id": task},
        {"op": "create", "task": {"title": "x", "parent_id": task}},
        {"op": "create", "task": {"title": "x", "list_id": list_id}},
        {"op": "create", "task": {"title": "x", "list_id": list_id, "parent_id": task}},
    ]


def run(ada: ApiClient, mode: str, commands: list[dict[str, Any]]) -> list[int]:
    """Run a batch; return the status of each command, or the one of the whole."""
    body = {"mode": mode, "commands": commands}
    response = ada("POST", f"/api/tasks/{ADA}/batch", json=body)
    if mode == "atomic":
        return [response.status_code]
    return [one["status"] for one in response.json["results"]]


def references(own: str, task: str, known: str) -> Tries:
    """Return writes of a task of Ada's, at `own`, that refer to a task and to a list."""
    return [
        ("POST", "", {"json": {"title": "x", "list_id": known}}),
        ("POST", "", {"json": {"title": "x", "parent_id": task}}),
        ("PATCH", own, {"json": {"list_id": known, "parent_id": task}}),
        ("PATCH", f"{own}/position", {"json": {"after": task}}),
    ]


def test_a_question_more_is_seen(flawed: Two, role_engine: Engine) -> None:
    """The comparison of statements sees one that goes out for a foreign id alone."""
    foreign = statements_of(flawed, role_engine, TRIES, f"/{flawed.foreign[0]}")
    assert foreign != statements_of(flawed, role_engine, TRIES, f"/{flawed.missing[0]}")


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
