"""Watches every statement that the SQL adapter sends, through the whole suite.

Each is parsed with PostgreSQL's own grammar and must be tied to the caller:
the owner who was named on opening. The exceptions are three, by name:
migrations, and pruning and partitioning as the maintenance role. What is sent to a driver
past SQLAlchemy is parsed where it says who the owner is, and must name no table that has one.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from threading import local
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event
from tests.sql_grammar import OWNED, SETTING, Untied, owner_parameters

import taskservice
from taskservice.adapters.sql.admin import migrate, partition, prune
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.core.service import TaskService

PACKAGE = str(Path(taskservice.__file__).parent)
ARCHIVED = ("import_tasks", "count", "erase")
EXCEPT = {
    (migrate.__file__, "upgrade"),
    (partition.__file__, "partition"),
    (prune.__file__, "prune"),
}

NO_OWNER = ""
"""In whose name maintenance begins its transactions: the owner of no task."""

# SQLite's own commands, which PostgreSQL's grammar does not know, and which reach no row.
NO_SQL = ("BEGIN IMMEDIATE", "PRAGMA ", "VACUUM")

# How a statement begins that tells PostgreSQL of the owner, and asks for no row.
AHEAD = f"SELECT set_config('{SETTING}'"

_names_owned = re.compile(rf"\b{OWNED}\b", re.IGNORECASE).search


class _Here(local):
    """What a thread is at: in whose name, and what SQLAlchemy announced last."""

    caller: str | None = None
    announced = False
    row_by_row = False
    last = ""


class Audit:
    """What was seen: how many statements, which texts, and what was wrong."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.texts: set[str] = set()
        self.count = 0
        self._here = _Here()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every engine of this process."""
        listeners = {
            "before_cursor_execute": self._look,
            "after_cursor_execute": self._is_over,
            "handle_error": self._is_over,
            "connect": self._listen_in,
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SqlTasks, "open_tasks", self._naming(SqlTasks.open_tasks))
            for name in ARCHIVED:
                patch.setattr(SqlOwnerData, name, self._of_archive(getattr(SqlOwnerData, name)))
            for name in ("execute", "executemany", "copy", "stream"):
                patch.setattr(psycopg.Cursor, name, self._overheard(getattr(psycopg.Cursor, name)))
            for moment, listener in listeners.items():
                event.listen(Engine, moment, listener)
            yield
            for moment, listener in listeners.items():
                event.remove(Engine, moment, listener)

    def _naming(self, opened: Any) -> Any:
        @contextmanager
        def open_tasks(tasks: SqlTasks, owner: str, **how: bool) -> Iterator[TaskService]:
            with self._in_the_name_of(owner), opened(tasks, owner, **how) as own:
                yield own

        return open_tasks

    def _of_archive(self, door: Any) -> Any:
        def named(archive: Any, *arguments: Any) -> Any:
            with self._in_the_name_of(archive._owner):
                return door(archive, *arguments)

        return named

    @contextmanager
    def _in_the_name_of(self, owner: str) -> Iterator[None]:
        before = self.caller
        self._here.caller = owner
        try:
            yield
        finally:
            self._here.caller = before

    @property
    def caller(self) -> str | None:
        """Whose tasks are open in this thread."""
        return self._here.caller

    def _look(self, *args: Any) -> None:
        _, _, statement, parameters, _, executemany = args
        self._here.announced, self._here.last = True, statement
        self._here.row_by_row = executemany
        if not statement.startswith(NO_SQL) and _is_of_the_adapter():
            self.look(statement, parameters)

    def _is_over(self, *_: Any) -> None:
        self._here.announced = False

    def _listen_in(self, connection: Any, _: object) -> None:
        """Hear what SQLite itself is told."""
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(self.overhear)

    def _overheard(self, execute: Any) -> Any:
        @wraps(execute)
        def heard(cursor: Any, statement: Any, *rest: Any, **how: Any) -> Any:
            text = statement if isinstance(statement, str) else str(statement)
            if text.startswith(AHEAD) and text != self._here.last and _is_of_the_adapter():
                self.look(text, rest[0] if rest else ())
            self.overhear(text)
            return execute(cursor, statement, *rest, **how)

        return heard

    def overhear(self, statement: str) -> None:
        """Note what a driver is told of a table with an owner, unless SQLAlchemy announced it.

        It announces one statement at a time, of which SQLite tells each row's.
        """
        if not _names_owned(statement):
            return
        announced = self._here.announced
        self._here.announced = announced and self._here.row_by_row
        if not announced and _is_of_the_adapter():
            self.faults.append(f"sent past the audit: {statement}")

    def look(self, statement: str, parameters: Any) -> None:
        """Note a statement, and what is wrong with it."""
        self.count += 1
        self.texts.add(statement)
        try:
            names = owner_parameters(statement)
        except Untied as error:
            self.faults.append(str(error))
            return
        for row in parameters if isinstance(parameters, list) else [parameters]:
            if {row[name] for name in names} - {self.caller or NO_OWNER}:
                self.faults.append(f"not about {self.caller!r}: {statement} {parameters!r}")


def _is_of_the_adapter() -> bool:
    """Tell whether the service itself, and none of the exceptions, is sending a statement."""
    frame = sys._getframe(2)
    ours = False
    while frame is not None:
        place = (frame.f_code.co_filename, frame.f_code.co_name)
        if place in EXCEPT:
            return False
        ours = ours or place[0].startswith(PACKAGE)
        frame = frame.f_back  # type: ignore[assignment]
    return ours


@pytest.fixture(scope="session")
def audit() -> Iterator[Audit]:
    """The watch over the whole session."""
    audit = Audit()
    with audit.watching():
        yield audit


@pytest.fixture(autouse=True)
def audited(audit: Audit) -> Iterator[None]:
    """Fail the test in which a statement was not tied to its caller."""
    yield
    faults, audit.faults = audit.faults, []
    assert not faults, "\n".join(faults)
