"""Backups of an SQLite file that are made while it is written to, and what they restore."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.databases import sqlite_database
from tests.http_callers import token_of
from tests.processes import SECONDS, Service, gunicorn, run
from tests.secret_values import SECRET

PATH = "/api/tasks/ada/tasks"
ADA = token_of("ada")


def by_program(source: Path, copy: Path) -> None:
    """Back up as the documents say, where the machine has the program."""
    if shutil.which("sqlite3") is None:
        pytest.skip("NOT TESTED: this machine has no sqlite3")
    assert run(["sqlite3", str(source), f".backup '{copy}'"], source.parent).returncode == 0


def by_statement(source: Path, copy: Path) -> None:
    """Back up as the documents say it for Python."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])


def write(service: Service, begun: Event, stop: Event, created: list[str]) -> None:
    """Create tasks until told to stop, and keep the id of each that was acknowledged."""
    while not stop.is_set():
        created.append(service("POST", PATH, ADA, {"title": "Buy milk"}).json["id"])
        begun.set()


@pytest.mark.parametrize("back_up", [by_program, by_statement])
def test_a_backup_has_all_that_was_acknowledged(
    tmp_path: Path, back_up: Callable[[Path, Path], None]
) -> None:
    """A copy made under load is sound, has each task acknowledged before, and can be served."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    source, copy = tmp_path / "tasks.db", tmp_path / "restored" / "copy.db"
    copy.parent.mkdir()
    begun, stop = Event(), Event()
    created: list[str] = []
    with gunicorn(tmp_path, **settings) as service:
        writer = Thread(target=partial(write, service, begun, stop, created))
        writer.start()
        try:
            assert begun.wait(SECONDS)
            before = list(created)
            back_up(source, copy)
        finally:
            stop.set()
            writer.join(SECONDS)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    restored = {**settings, "DATABASE_URL": f"sqlite:///{copy}"}
    with gunicorn(tmp_path, **restored) as service:
        assert all(service("GET", f"{PATH}/{one}", ADA).status == 200 for one in before)
        assert service("POST", PATH, ADA, {"title": "Buy bread"}).status == 201
