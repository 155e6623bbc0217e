"""`taskservice export`, `import`, `seed` and `erase`, as processes, on both engines."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.databases import migrated_database, service_engine, sqlite_database
from tests.keyed import add_once
from tests.postgres import Databases
from tests.processes import COMMAND, SECONDS, environment
from tests.system.conftest import command
from tests.system.places import Place, file_of, lines, shuffled, text_of, tree_lines

from taskservice.adapters.sql.connection import sqlite as sqlite_files
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.cli.erase import erase
from taskservice.cli.jsonlines import format_entity, parse_entity
from taskservice.config import ConfigError
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.owner_data import OwnerCounts
from taskservice.core.sample_tasks import sample_tasks
from taskservice.core.task import DESCRIPTION_LIMIT, TITLE_LIMIT, NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.testing import ADA, BOB, START, tasks_of

SECRET_WORD = "unforgettable-aardvark"


def test_a_round_trip_is_byte_identical(
    place: Place, tmp_path: Path, postgresql: Databases
) -> None:
    """Export, import into an empty database of either engine, and export again.

    Also after everything was erased.
    """
    assert place("seed", "--user", ADA, "--tasks", "450").returncode == 0
    assert place("seed", "--user", BOB, "--tasks", "5").returncode == 0
    file = tmp_path / "tasks.jsonl"
    result = place("export", ADA, str(file))
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "exported 4 lists, 450 tasks, 9 trashed tasks of ada\n"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert text == place.exported()
    (tmp_path / "other").mkdir()
    with migrated_database(postgresql) as database:
        for address in (sqlite_database(tmp_path / "other"), database.service):
            other = Place(address, address, tmp_path / "other")
            assert other("import", ADA, str(file)).stdout == "463 lines imported\n"
            assert other.exported() == text
            assert other.exported(BOB) == ""
    assert place.maintain("erase", ADA, "--yes").returncode == 0
    assert place.exported() == ""
    assert place("import", ADA, str(file)).stdout == "463 lines imported\n"
    assert place.exported() == text


def test_a_killed_import_can_be_run_again(place: Place, tmp_path: Path) -> None:
    """After `kill -9` and two more imports, everything exists once, in any order of the lines."""
    members = tree_lines(1000)
    file = file_of(tmp_path, *shuffled(members))
    half = "".join(file.read_text().splitlines(keepends=True)[:500])
    process = subprocess.Popen(
        [*COMMAND, "import", ADA],
        cwd=tmp_path,
        env=environment(DATABASE_URL=place.service),
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(half.encode())
    process.stdin.flush()
    deadline = time.monotonic() + SECONDS
    while not (stored := place.held().entities["task"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    assert process.wait(SECONDS) == -signal.SIGKILL
    process.stdin.close()
    assert 0 < stored <= place.held().entities["task"] < 1000
    for _ in range(2):
        assert place("import", ADA, str(file)).stdout == "1004 lines imported\n"
        assert place.exported() == text_of(*members)


BAD: dict[str, tuple[str, str]] = {
    "cut": ('{"id": "0', "it is not JSON: syntax error or unexpected end at line 1, column 8"),
    "bytes": ("\udcff", "it is not JSON: it is not UTF-8"),
    "list": ("[]", "it is not a JSON object"),
    "doubled": ('{"id": 1, "id": 2}', "it is not JSON: an object has a duplicate name"),
}
OPEN = {"completed": False, "completed_at": None, "status": "needs-action"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "owner": ({"user_id": BOB}, "user_id is not this user"),
    "title": ({"title": " "}, "title must not be blank"),
    "surrogate": ({"title": "\ud800"}, "title must be Unicode text, without lone surrogates"),
    "types": (
        {"completed": 1, "version": True, "id": "X", "title": None},
        "id must be a UUID; title must be a string; "
        "completed must be true or false; version must be a whole number",
    ),
    "version": ({"version": 2**30 + 1}, "version must be from 1 to 1073741824"),
    "time": (
        {"created_at": "2026-13-01T00:00:00.000001Z"},
        "created_at must be an RFC 3339 time such as 2026-02-09T10:00:00Z: "
        "the month must be from 01 to 12",
    ),
    "rule": (
        {"recurrence": "FREQ=HOURLY"},
        "recurrence FREQ=HOURLY is not taken: a task recurs by days",
    ),
    "series": ({"recurrence": "FREQ=DAILY"}, "series_id must not be null with a recurrence"),
    "successor": (
        {**OPEN, "next_id": "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"},
        "next_id must be null in an open task",
    ),
    "type": ({"type": "song"}, "this version does not know its type"),
}


@pytest.mark.parametrize("name", [*BAD, *WRONG])
def test_an_invalid_line_is_printed_and_the_others_are_imported(tmp_path: Path, name: str) -> None:
    """With its number and the reason; the exit status is 2."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    first, second, third = lines(3)
    texts = [text_of(first), text_of(third)]
    bad, reason = BAD[name] if name in BAD else (json.dumps({**second, **WRONG[name][0]}), "")
    file = tmp_path / "tasks.jsonl"
    text = f"{texts[0]}\n{bad}\n{texts[1]}"
    file.write_bytes(text.encode(errors="surrogateescape"))
    for dry in (["--dry-run"], []):
        result = place("import", ADA, str(file), *dry)
        assert result.returncode == 2
        logged, end = result.stderr.splitlines()
        assert logged == f"line 3: {reason or WRONG[name][1]}"
        result_word = "valid" if dry else "imported"
        assert end == f"Error: 1 line not {result_word}; 2 lines {result_word}"
    assert place.exported() == "".join(texts)


def test_missing_members_are_named(tmp_path: Path) -> None:
    """A line must have every member that each version has exported."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    (line,) = lines(1)
    del line["version"], line["completed_at"]
    result = place("import", ADA, str(file_of(tmp_path, line)))
    assert "line 1: completed_at is missing; version is missing" in result.stderr
    assert result.returncode == 2


def test_an_existing_task_is_not_overwritten(place: Place, tmp_path: Path) -> None:
    """The line is printed with the reason."""
    line, other = lines(2)
    assert place("import", ADA, str(file_of(tmp_path, line))).returncode == 0
    changed = {**line, "title": "Something else"}
    result = place("import", ADA, str(file_of(tmp_path, changed, other)))
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "line 1: a different task with this id exists, perhaps in the trash; it was kept",
        "Error: 1 line not imported; 1 line imported",
    ]
    assert [json.loads(one) for one in place.exported().splitlines()] == [line, other]


def test_the_longest_line_is_read() -> None:
    """Every character of the longest task may be escaped, as by `json.dumps` and `jq -a`."""
    long = Task.create(
        ADA,
        START,
        TimeOrderedIds(),
        NewTask(title="\U0001f600" * TITLE_LIMIT, description="\U0001f600" * DESCRIPTION_LIMIT),
    )
    assert (
        parse_entity(json.dumps(json.loads(format_entity(long)), indent=1).encode(), ADA).entity
        == long
    )


def test_a_line_that_is_too_long_is_skipped(tmp_path: Path) -> None:
    """It is printed with its number; the next line is imported."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    (line,) = lines(1)
    (tmp_path / "tasks.jsonl").write_text("x" * 3_000_000 + "\n" + json.dumps(line))
    result = place("import", ADA, str(tmp_path / "tasks.jsonl"))
    assert result.stderr.startswith("line 1: it is longer than 262144 bytes\n")
    assert place.held().entities["task"] == 1


def peak_memory(arguments: list[str], place: Place) -> int:
    """Run a command that must succeed; return its peak memory in MiB."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=place.folder,
        env=environment(DATABASE_URL=place.service),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss // 1024


def test_memory_does_not_grow_with_the_number_of_tasks(tmp_path: Path) -> None:
    """37 MiB of tasks need at most 24 MiB more than one task, for export and import."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    engine = service_engine(place.service)
    long = "x" * 8000
    for part in range(25):
        tasks = sample_tasks(BOB, 200, START, TimeOrderedIds(), seed=part)
        SqlOwnerData(engine, BOB).import_entities(
            [task.edit(task.updated_at, description=long) for task in tasks]
        )
    engine.dispose()
    assert place("seed", "--user", ADA, "--tasks", "1").returncode == 0
    for user in (ADA, BOB):
        assert place("export", user, f"{user}.jsonl").returncode == 0
    assert (tmp_path / f"{BOB}.jsonl").stat().st_size > 37 * 2**20
    for way in ("export", "import"):
        small, large = (peak_memory([way, user, f"{user}.jsonl"], place) for user in (ADA, BOB))
        assert large - small <= 24


def test_a_failed_export_changes_no_file(tmp_path: Path) -> None:
    """The previous file stays, and no temporary file is left."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    assert place("seed", "--user", ADA, "--tasks", "300").returncode == 0
    (tmp_path / "tasks.jsonl").write_text("the last one\n")
    database = sqlite3.connect(tmp_path / "tasks.db")
    database.execute(
        "UPDATE tasks SET created_at = 'nonsense' WHERE id = (SELECT max(id) FROM tasks)"
    )
    database.commit()
    database.close()
    assert place("export", ADA, "tasks.jsonl").returncode != 0
    assert (tmp_path / "tasks.jsonl").read_text() == "the last one\n"
    assert {file.name for file in tmp_path.glob("tasks.jsonl*")} == {"tasks.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        (["seed", "--tasks", "10"], "seeding"),
        (["export", "demo", "x.jsonl"], "exporting"),
        (["import", "demo", "y.jsonl"], "importing"),
    ],
)
def test_a_terminal_shows_a_progress_bar(tmp_path: Path, arguments: list[str], label: str) -> None:
    """On standard error, only if that is a terminal, until 100 %."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    assert place("seed", "--tasks", "3").stderr == ""
    assert place("export", "demo", "y.jsonl").returncode == 0
    screen, terminal = pty.openpty()
    subprocess.run(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        env=environment(DATABASE_URL=address),
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        timeout=SECONDS,
        check=True,
    )
    os.close(terminal)
    shown = os.read(screen, 65536).decode()
    os.close(screen)
    assert label in shown
    assert "100%" in shown


def test_erase_deletes_all_data_of_a_user(place: Place, tmp_path: Path) -> None:
    """After confirmation: lists, tasks, trash, changes, idempotency records. Prints the counts."""
    engine = service_engine(place.service)
    for user in (ADA, BOB):
        with SqlStorage(engine).open_workspace(user, atomic=True) as workspace:
            a_list = workspace.lists.add(NewTaskList(name=SECRET_WORD))
            parent = add_once(workspace, NewTask(title=SECRET_WORD, list_id=a_list.id))
            below = NewTask(title=SECRET_WORD, list_id=a_list.id, parent_id=parent.id)
            workspace.tasks.trash(workspace.tasks.add(below).id)
            workspace.tasks.add(below)
    engine.dispose()
    all_of_it = OwnerCounts({"list": 1, "task": 2, "trashed-task": 1}, 1, 5)
    counted = "1 list, 2 tasks, 1 trashed task, 5 changes and 1 idempotency record\n"
    has = f"ada has {counted}"
    assert place.maintain("erase", ADA, "--dry-run").stdout == has
    aborted = place.maintain("erase", ADA)
    assert (aborted.returncode, "Delete all of it permanently? [y/N]" in aborted.stdout) == (
        1,
        True,
    )
    assert place.held() == all_of_it
    done = place.maintain("erase", ADA, "--yes")
    assert (done.returncode, done.stdout) == (0, f"{has}deleted {counted}")
    none = "0 lists, 0 tasks, 0 trashed tasks, 0 changes and 0 idempotency records\n"
    assert place.maintain("erase", ADA).stdout == f"ada has {none}deleted {none}"
    nothing = OwnerCounts({"list": 0, "task": 0, "trashed-task": 0}, 0, 0)
    assert (place.held(ADA), place.held(BOB)) == (nothing, all_of_it)


def test_the_service_role_cannot_erase(tmp_path: Path, postgresql: Databases) -> None:
    """It deletes nothing; the message names the role to use."""
    with migrated_database(postgresql) as database:
        place = Place(database.service, database.owner, tmp_path)
        place("seed", "--user", ADA, "--tasks", "2")
        result = place("erase", ADA, "--yes")
        assert (result.returncode, place.held().entities["task"]) == (2, 2)
        assert result.stderr == (
            "Error: nothing was deleted: database error: permission denied for table "
            "changes; run it as the tables' owner\n"
        )


def test_erase_leaves_no_bytes_in_the_file(tmp_path: Path) -> None:
    """On SQLite, neither in the file nor in its WAL."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    engine = service_engine(place.service)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        for _ in range(50):
            added = tasks.add(NewTask(title=SECRET_WORD, description=SECRET_WORD * 30))
            tasks.trash(added.id)
    assert files_with(SECRET_WORD, tmp_path)
    assert command(tmp_path, "erase", ADA, "--yes", DATABASE_URL=address)
    assert files_with(SECRET_WORD, tmp_path) == []
    engine.dispose()


def test_erase_reports_bytes_that_remain_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another connection reads the file: the message says to run the command again."""
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_SECONDS", 0)
    engine = service_engine(address := sqlite_database(tmp_path))
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.add(NewTask(title=SECRET_WORD))
        with engine.connect() as reader:
            reader.exec_driver_sql("BEGIN")
            reader.exec_driver_sql("SELECT * FROM sqlite_master")
            result = CliRunner().invoke(erase, [ADA, "--yes", "--database", address])
    engine.dispose()
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == (
        "deleted 0 lists, 1 task, 0 trashed tasks, 1 change and 0 idempotency records, but the"
        " deleted data is still in the database files: another connection reads the database;"
        " run `taskservice erase ada` again"
    )


def files_with(word: str, folder: Path) -> list[str]:
    """Return the files that hold a word, read by another process.

    Whoever closes a database's file loses all the locks that this process has on it.
    """
    command = ["grep", "--recursive", "--text", "--files-with-matches", "--fixed-strings", word]
    found = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()
