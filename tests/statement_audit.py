"""Watches every statement that the SQL adapter sends, through the whole suite.

Each is parsed with PostgreSQL's own grammar and must be tied to the caller:
the owner who was named on opening. The exceptions are four, by name:
migrations, and pruning, partitioning and rezoning as the maintenance role. What is sent to a driver
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
from tests.sql_grammar import OWNED, SETTING, UnfilteredStatement, owner_parameters

import taskservice
from taskservice.adapters.sql.admin import forget_changes, migrate, partition, prune, rezone
from taskservice.adapters.sql.checks import change_log
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.workspace import Workspace

PACKAGE = str(Path(taskservice.__file__).parent)
OWNER_DATA_METHODS = ("import_entities", "count", "erase")
EXCEPT = {
    (migrate.__file__, "upgrade"),
    (partition.__file__, "partition"),
    (prune.__file__, "prune"),
    (prune.__file__, "prune_trash"),
    (prune.__file__, "prune_changes"),
    (forget_changes.__file__, "forget_changes"),
    (change_log.__file__, "sample_change_log"),
    (rezone.__file__, "rezone"),
}

NO_OWNER = ""
"""In whose name maintenance begins its transactions: the owner of no task."""

# SQLite's own commands, which PostgreSQL's grammar does not know, and which reach no row.
NO_SQL = ("BEGIN IMMEDIATE", "PRAGMA ", "VACUUM")

# How a statement begins that tells PostgreSQL of the owner, and asks for no row.
SETS_OWNER = f"SELECT set_config('{SETTING}'"

_names_owned = re.compile(rf"\b{OWNED}\b", re.IGNORECASE).search


class _ThreadState(local):
    """What a thread is at: in whose name, and what SQLAlchemy announced last."""

    caller: str | None = None
    announced = False
    row_by_row = False
    last = ""


class StatementAudit:
    """What was seen: how many statements, which texts, and what was wrong."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.texts: set[str] = set()
        self.count = 0
        self._state = _ThreadState()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every engine of this process."""
        listeners = {
            "before_cursor_execute": self._before_execute,
            "after_cursor_execute": self._after_execute,
            "handle_error": self._after_execute,
            "connect": self._trace_sqlite,
        }
        with pytest.MonkeyPatch.context() as patch:
            for name in ("open_workspace", "open_snapshot"):
                patch.setattr(SqlStorage, name, self._with_caller(getattr(SqlStorage, name)))
            for name in OWNER_DATA_METHODS:
                patch.setattr(
                    SqlOwnerData, name, self._with_owner_of_data(getattr(SqlOwnerData, name))
                )
            for name in ("execute", "executemany", "copy", "stream"):
                patch.setattr(
                    psycopg.Cursor, name, self._wrap_cursor(getattr(psycopg.Cursor, name))
                )
            for name_of_event, listener in listeners.items():
                event.listen(Engine, name_of_event, listener)
            yield
            for name_of_event, listener in listeners.items():
                event.remove(Engine, name_of_event, listener)

    def _with_caller(self, opened: Any) -> Any:
        @contextmanager
        def open_workspace(storage: SqlStorage, owner: str, **how: bool) -> Iterator[Workspace]:
            with self._as_caller(owner), opened(storage, owner, **how) as own:
                yield own

        return open_workspace

    def _with_owner_of_data(self, method: Any) -> Any:
        def named(owner_data: Any, *arguments: Any) -> Any:
            with self._as_caller(owner_data._owner):
                return method(owner_data, *arguments)

        return named

    @contextmanager
    def _as_caller(self, owner: str) -> Iterator[None]:
        before = self.caller
        self._state.caller = owner
        try:
            yield
        finally:
            self._state.caller = before

    @property
    def caller(self) -> str | None:
        """Whose tasks are open in this thread."""
        return self._state.caller

    def _before_execute(self, *args: Any) -> None:
        _, _, statement, parameters, _, executemany = args
        self._state.announced, self._state.last = True, statement
        self._state.row_by_row = executemany
        if not statement.startswith(NO_SQL) and _is_of_the_adapter():
            self.look(statement, parameters)

    def _after_execute(self, *_: Any) -> None:
        self._state.announced = False

    def _trace_sqlite(self, connection: Any, _: object) -> None:
        """Hear what SQLite itself is told."""
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(self.check_unannounced)

    def _wrap_cursor(self, execute: Any) -> Any:
        @wraps(execute)
        def wrapped(cursor: Any, statement: Any, *rest: Any, **how: Any) -> Any:
            text = statement if isinstance(statement, str) else str(statement)
            if text.startswith(SETS_OWNER) and text != self._state.last and _is_of_the_adapter():
                self.look(text, rest[0] if rest else ())
            self.check_unannounced(text)
            return execute(cursor, statement, *rest, **how)

        return wrapped

    def check_unannounced(self, statement: str) -> None:
        """Note what a driver is told of a table with an owner, unless SQLAlchemy announced it.

        It announces one statement at a time, of which SQLite tells each row's.
        """
        if not _names_owned(statement):
            return
        announced = self._state.announced
        self._state.announced = announced and self._state.row_by_row
        if not announced and _is_of_the_adapter():
            self.faults.append(f"sent past the audit: {statement}")

    def look(self, statement: str, parameters: Any) -> None:
        """Note a statement, and what is wrong with it."""
        self.count += 1
        self.texts.add(statement)
        try:
            names = owner_parameters(statement)
        except UnfilteredStatement as error:
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
def audit() -> Iterator[StatementAudit]:
    """The watch over the whole session."""
    audit = StatementAudit()
    with audit.watching():
        yield audit


@pytest.fixture(autouse=True)
def audited(audit: StatementAudit) -> Iterator[None]:
    """Fail the test in which a statement was not tied to its caller."""
    yield
    faults, audit.faults = audit.faults, []
    assert not faults, "\n".join(faults)
