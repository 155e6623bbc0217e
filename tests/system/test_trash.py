"""The stored trash, and its commands: `export`, `import`, `db prune`, `db partition`."""

import json
import os
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, select
from tests.databases import Database, sqlite_database
from tests.http_callers import SETTINGS, ApiClient
from tests.processes import COMMAND
from tests.system.places import Place, file_of, lines_of
from tests.system.test_change_log import in_the_name, served

from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.app import create_app
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sample_tasks import sample_trash
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import remove_task
from taskservice.core.trash import restore_task
from taskservice.testing import ADA, BOB, START

SECRET_WORD = "unforgettable-aardvark"
REST = "removed 0 expired idempotency records\nremoved 0 expired changes\n"
EXISTS = "a different task with this id exists, perhaps in the trash; it was kept"


def trashed(place: Place, title: str, *, days_ago: int, owner: str = ADA) -> Task:
    """Create and delete a task, some days ago."""
    with (
        served(place, days_ago=days_ago) as storage,
        storage.open_workspace(owner) as workspace,
    ):
        task = workspace.tasks.add(NewTask(title=title))
        workspace.tasks.trash(task.id)
        return task


def exported(place: Place, user: str = ADA) -> list[dict[str, Any]]:
    """Return the lines of an export."""
    return [json.loads(line) for line in place.exported(user).splitlines()]


def sample_lines(count: int) -> list[dict[str, Any]]:
    """Return the lines of tasks in the trash, the oldest first."""
    trash = sample_trash(ADA, count, START, TimeOrderedIds())
    return lines_of(sorted(trash, key=lambda one: (one.created_at, one.id)))


def test_tasks_in_the_trash_are_exported_as_such(place: Place) -> None:
    """Behind all others, with when they were deleted, and with which one."""
    with (
        served(place) as storage,
        storage.open_workspace(ADA, atomic=True) as workspace,
    ):
        workspace.lock()
        gone = workspace.tasks.add(NewTask(title="Straße"))
        below = workspace.tasks.add(NewTask(title="Unter der Straße", parent_id=gone.id))
        kept = workspace.tasks.add(NewTask(title="Brücke"))
        roots = dict.fromkeys((gone.id, below.id), gone.id)
        workspace.tasks.trash_all([below, gone], roots)
        trash = [workspace.trash.get(one.id) for one in (gone, below)]
    assert exported(place) == lines_of([kept, *trash])
    assert [one["type"] for one in exported(place)] == ["task", "trashed-task", "trashed-task"]
    assert {one.get("trashed_with") for one in exported(place)} == {None, str(gone.id)}


def test_an_export_is_as_it_was_when_it_began(place: Place) -> None:
    """A task that is deleted, and one that is restored meanwhile, are in it once, as before."""
    with served(place) as storage:
        open_own = partial(storage.open_workspace, ADA)
        with open_own() as workspace:
            new = NewTask(title="Straße", description="weit " * 2_000)
            deleted, restored, *_ = (workspace.tasks.add(new) for _ in range(60))
            workspace.tasks.trash(restored.id)
        before = exported(place)
        with Popen(
            [*COMMAND, "export", ADA],
            cwd=place.folder,
            env={**os.environ, "DATABASE_URL": place.service},
            stdout=PIPE,
            stderr=DEVNULL,
        ) as export:
            assert export.stdout is not None
            # The rest is more than a pipe holds, so the trash is not yet read.
            first = export.stdout.readline()
            remove_task(open_own, deleted.id)
            restore_task(open_own, restored.id)
            lines = [first, *export.stdout]
    assert export.returncode == 0
    assert [json.loads(line) for line in lines] == before


def test_a_line_of_the_trash_is_imported_into_it(place: Place, tmp_path: Path) -> None:
    """Once, however often; and nothing else then has its id."""
    first, second = sample_lines(2)
    live = {**first, "type": "task"}
    del live["trashed_at"], live["trashed_with"]
    for _ in range(2):
        assert place("import", ADA, str(file_of(tmp_path, first, second))).returncode == 0
    assert exported(place) == [first, second]
    changed = {**second, "trashed_at": "2026-03-01T00:00:00.000001Z"}
    result = place("import", ADA, str(file_of(tmp_path, live, changed)))
    assert (result.returncode, result.stderr.splitlines()) == (
        2,
        [f"line 1: {EXISTS}", f"line 2: {EXISTS}", "Error: 2 lines not imported; 0 lines imported"],
    )
    assert exported(place) == [first, second]


def test_a_line_of_the_trash_does_not_remove_a_task(place: Place, tmp_path: Path) -> None:
    """It is refused, in the same batch or later."""
    (line,) = sample_lines(1)
    live = {**line, "type": "task"}
    del live["trashed_at"], live["trashed_with"]
    refused = place("import", ADA, str(file_of(tmp_path, line, live)))
    assert refused.stderr.splitlines()[:1] == [f"line 1: {EXISTS}"]
    later = place("import", ADA, str(file_of(tmp_path, line)))
    assert (later.returncode, later.stderr.splitlines()[0]) == (2, f"line 1: {EXISTS}")
    assert exported(place) == [live]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "before the last change": (
        {"trashed_at": "2020-01-01T00:00:00.000001Z"},
        "trashed_at must not be before updated_at",
    ),
    "no time": (
        {"trashed_at": "yesterday"},
        "trashed_at must be an RFC 3339 time such as 2026-02-09T10:00:00Z: "
        "the year must have four digits",
    ),
    "none": ({"trashed_at": None}, "trashed_at must be a string"),
    "no id": ({"trashed_with": "x"}, "trashed_with must be a UUID"),
    "a title": ({"title": " "}, "title must not be blank"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_invalid_line_of_the_trash_is_refused(tmp_path: Path, case: str) -> None:
    """With the reason, as any other; the rest is imported."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    first, second = sample_lines(2)
    wrong, reason = WRONG[case]
    result = place("import", ADA, str(file_of(tmp_path, {**first, **wrong}, second)))
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, f"line 1: {reason}")
    assert exported(place) == [second]


def test_a_line_of_the_trash_needs_its_time(tmp_path: Path) -> None:
    """It has no default."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    (line,) = sample_lines(1)
    del line["trashed_at"]
    result = place("import", ADA, str(file_of(tmp_path, line)), "--dry-run")
    assert result.stderr.splitlines()[0] == "line 1: trashed_at is missing"


def test_db_prune_purges_what_was_deleted_before(place: Place) -> None:
    """By the setting, or 30 days ago. What nobody deleted stays, however old it is."""
    for days_ago in (32, 29, 3):
        trashed(place, f"{days_ago} days", days_ago=days_ago)
    trashed(place, "Bob's", days_ago=31, owner=BOB)
    with served(place, days_ago=400) as storage, storage.open_workspace(ADA) as workspace:
        workspace.tasks.add(NewTask(title="Kept"))
    command = place._replace(service=place.owner)
    said = [
        command("db", "prune", TASKSERVICE_CHANGES_DAYS="3650", TASKSERVICE_TRASH_DAYS=days).stdout
        for days in ("3650", "", "", "28", "1")
    ]
    assert said == [
        f"removed {count} from the trash\n{REST}"
        for count in ("0 tasks", "2 tasks", "0 tasks", "1 task", "1 task")
    ]
    assert [one["title"] for one in exported(place)] == ["Kept"]
    assert exported(place, BOB) == []


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ("31", "TASKSERVICE_CHANGES_DAYS must be at least TASKSERVICE_TRASH_DAYS, 31"),
        ("0", "TASKSERVICE_TRASH_DAYS must be a number of days from 1 to 3650"),
        ("3651", "TASKSERVICE_TRASH_DAYS must be a number of days from 1 to 3650"),
    ],
)
def test_db_prune_refuses_a_number_of_days(place: Place, days: str, message: str) -> None:
    """Also one beyond that of the log. Nothing is purged."""
    trashed(place, "Straße", days_ago=4000)
    result = place._replace(service=place.owner)("db", "prune", TASKSERVICE_TRASH_DAYS=days)
    assert (result.returncode, result.stderr) == (2, f"Error: {message}\n")
    assert len(exported(place)) == 1


def test_no_title_is_left_after_a_purge(place: Place) -> None:
    """By the owner, one or all of the trash, or by `db prune`, in any table, a day later.

    The numbers of the changes stay.
    """
    with served(place, days_ago=40) as storage:
        ada = ApiClient(create_app(storage.open_workspace, SETTINGS).test_client(), ADA)
        ids = [everything_done(ada) for _ in range(3)]
        assert ada("DELETE", f"/api/tasks/{ADA}/trash/{ids[0]}").status_code == 204
        assert ada("POST", f"/api/tasks/{ADA}/trash/{ids[2]}/restore").status_code == 200
        assert ada("DELETE", f"/api/tasks/{ADA}/trash").json == {"purged": 1, "more": False}
        assert ada("DELETE", f"/{ids[2]}").status_code == 204
    with in_the_name(place, ADA) as engine:
        assert SECRET_WORD in dumped(engine)
    done = place._replace(service=place.owner)("db", "prune", TASKSERVICE_CHANGES_DAYS="3650")
    assert done.stdout.startswith("removed 1 task from the trash\nremoved 6 expired idempotency")
    with in_the_name(place, ADA) as engine:
        assert SECRET_WORD not in dumped(engine)
        assert [dumped(engine).count(f"'entity_id', UUID('{one}')") for one in ids] == [6, 6, 8]


def everything_done(user: ApiClient) -> str:
    """Create a task, edit, delete and restore it, and undo that, with keys; return its id."""
    task = user("POST", json={"title": SECRET_WORD}, headers=new_key()).json
    one, known = f"/{task['id']}", f"/api/tasks/{ADA}/trash/{task['id']}"
    assert user("PATCH", one, json={"title": f"{SECRET_WORD} 2"}).status_code == 200
    assert user("DELETE", one).status_code == 204
    assert user("POST", f"{known}/restore").status_code == 200
    number = user("GET", f"{one}/history").json[0]["sequence"]
    undone = user("POST", f"{one}/undo", json={"sequence": number}, headers=new_key())
    assert undone.json["title"] == f"{SECRET_WORD} 2"
    return str(task["id"])


def new_key() -> dict[str, str]:
    """Return a header with a key that was never used."""
    return {"Idempotency-Key": str(uuid4())}


def dumped(engine: Engine) -> str:
    """Return all rows that are Ada's as text."""
    with engine.connect() as connection:
        return "\n".join(
            f"{[*row._mapping.items()]!r}"
            for table in OWNED_TABLES
            for row in connection.execute(select(table).where(table.c.user_id == ADA))
        )


def test_partitions_take_the_trash_along(database: Database, tmp_path: Path) -> None:
    """Each row with its owner's partition; it is restored from there, and pruned."""
    place = Place(database.service, database.owner, tmp_path)
    task = trashed(place, "Straße", days_ago=1)
    trashed(place, "Brücke", days_ago=40)
    trashed(place, "Bobs Brücke", days_ago=40, owner=BOB)
    before = place.exported()
    said = place.maintain("db", "partition").stdout
    assert said == "partitioned each table into 16 partitions\n"
    assert place.exported() == before
    with psycopg.connect(database.superuser) as connection:
        found = connection.execute("SELECT DISTINCT tableoid::regclass::text FROM trash").fetchall()
    assert {name[:6] for (name,) in found} == {"trash_"}
    assert place.maintain("db", "prune").stdout.startswith("removed 2 tasks from the trash\n")
    with served(place) as storage:
        restored = restore_task(lambda **how: storage.open_workspace(ADA, **how), task.id)
    assert [one["version"] for one in exported(place)] == [restored.version] == [2]
