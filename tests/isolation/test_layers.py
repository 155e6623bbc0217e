"""Three locks, each of which holds alone: ownership, the owner clause, row-level security.

For each, the other two are taken out and the same attacks are run.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, event
from tests.homes import Home
from tests.http_callers import SETTINGS, Caller

from taskservice.adapters.http.protocol import authorization
from taskservice.adapters.http.protocol.request import current_request
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.app import create_app
from taskservice.testing import ADA, BOB

TITLE = "A secret of Ada"
_owner_clause = re.compile(r"\w+\.user_id = (%\(owner\)s::VARCHAR|:owner)")
HELD = "SELECT relname FROM pg_class WHERE relname = ANY (%s) AND relrowsecurity"


@contextmanager
def without_ownership(app: Flask) -> Iterator[None]:
    """Take the comparison of path and token out: whoever has a token is let through."""

    def let_through() -> None:
        authenticate = authorization._services().authenticate
        current_request().owner = authenticate(authorization._bearer_token())

    checks = app.before_request_funcs["tasks"]
    place = checks.index(authorization.enforce_ownership)
    checks[place] = let_through
    try:
        yield
    finally:
        checks[place] = authorization.enforce_ownership


@contextmanager
def without_clause(engine: Engine) -> Iterator[list[str]]:
    """Take the owner out of every WHERE that goes to the database; yield what was sent instead."""
    sent: list[str] = []

    def rewrite(*args: Any) -> tuple[str, Any]:
        statement, count = _owner_clause.subn(_always_true, args[2])
        sent.extend([statement] * count)
        return statement, args[3]

    event.listen(engine, "before_cursor_execute", rewrite, retval=True)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", rewrite)


def _always_true(match: re.Match[str]) -> str:
    return f"{match[1]} IS NOT NULL"


@contextmanager
def without_policies(home: Home) -> Iterator[None]:
    """Switch row-level security off, as only the tables' owner can; later on, where it was on."""
    with psycopg.connect(home.owner, autocommit=True) as owner:
        held = [table for (table,) in owner.execute(HELD, (["tasks", "receipts"],))]
        for table in held:
            owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY".encode())
        try:
            yield
        finally:
            for table in held:
                owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())


class Attack:
    """Bob tries to reach Ada's task, under her path and under his own."""

    def __init__(self, engine: Engine) -> None:
        self.app: Flask = create_app(SqlTasks(engine).open_tasks, SETTINGS)
        self._bob = Caller(self.app.test_client(), BOB)
        self._ada = Caller(self.app.test_client(), ADA)
        self._task = self._ada.create(title=TITLE)
        self._bob.create(title="Bob's own")
        self._ada("POST", json={"title": TITLE}, headers={"Idempotency-Key": "key"})

    def statuses(self, path: str) -> list[int]:
        """Return what Bob hears under `path`; nothing of Ada's is in any answer."""
        one, key = f"{path}/{self._task['id']}", {"Idempotency-Key": "key"}
        answers = [
            self._bob("GET", path),
            self._bob("GET", f"{path}?q=secret"),
            self._bob("GET", path, headers={"Prefer": "count=exact"}),
            self._bob("GET", one),
            self._bob("PUT", one, json={"title": "Mine now"}),
            self._bob("PATCH", one, json={"title": "Mine now"}),
            self._bob("PATCH", f"{one}/complete"),
            self._bob("DELETE", one),
            self._bob("DELETE", one, headers=key),
        ]
        assert [answer.text for answer in answers if TITLE in answer.text] == []
        assert answers[2].headers.get("X-Total-Count", "1") == "1"
        return [answer.status_code for answer in answers]

    def under_adas_path(self) -> list[int]:
        return self.statuses(self._ada.path)

    def under_bobs_path(self) -> list[int]:
        return self.statuses(self._bob.path)

    def leaves_no_trace(self) -> bool:
        """Tell whether Ada's task is as it was."""
        return bool(self._ada("GET", f"/{self._task['id']}").json == self._task)


OWN_LISTS_ONLY = [200, 200, 200, 404, 404, 404, 404, 404, 404]


def test_with_every_lock_nothing_is_reached(engine: Engine) -> None:
    """What the locks answer together: 403 under another's path, 404 for another's task."""
    attack = Attack(engine)
    assert attack.under_adas_path() == [403] * 9
    assert attack.under_bobs_path() == OWN_LISTS_ONLY
    assert attack.leaves_no_trace()


def test_ownership_holds_alone(engine: Engine, home: Home) -> None:
    """Without owner clause and policies, another's path is refused before anything is opened."""
    attack = Attack(engine)
    with without_policies(home), without_clause(engine):
        assert attack.under_adas_path() == [403] * 9
    assert attack.leaves_no_trace()


def test_the_owner_clause_holds_alone(engine: Engine, home: Home) -> None:
    """Without ownership check and policies, whatever Bob asks for is looked up as Bob's."""
    attack = Attack(engine)
    with without_policies(home), without_ownership(attack.app):
        assert attack.under_adas_path() == OWN_LISTS_ONLY
        assert attack.under_bobs_path() == OWN_LISTS_ONLY
    assert attack.leaves_no_trace()


def test_row_level_security_holds_alone(engine: Engine) -> None:
    """Without ownership check and owner clause, PostgreSQL shows Bob his own rows."""
    attack = Attack(engine)
    with without_ownership(attack.app), without_clause(engine) as sent:
        assert attack.under_adas_path() == OWN_LISTS_ONLY
        assert attack.under_bobs_path() == OWN_LISTS_ONLY
    assert len(sent) == 20
    assert attack.leaves_no_trace()


def test_the_clause_is_the_last_lock_where_there_are_no_policies(
    sqlite: Engine,
) -> None:
    """On SQLite its removal does reach another's task: so the removal above is a real one."""
    attack = Attack(sqlite)
    assert attack.under_bobs_path() == OWN_LISTS_ONLY
    with without_clause(sqlite), pytest.raises(AssertionError, match=TITLE):
        attack.under_bobs_path()
