"""Three layers, each sufficient alone: authorization, owner condition, row-level security.

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
from tests.databases import Database
from tests.http_callers import SETTINGS, ApiClient

from taskservice.adapters.http.protocol import authorization
from taskservice.adapters.http.protocol.request import current_request
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.testing import ADA, BOB

TITLE = "A secret of Ada"
_owner_clause = re.compile(r"\w+\.user_id = (%\(owner\)s::VARCHAR|:owner)")
HELD = "SELECT relname FROM pg_class WHERE relname = ANY (%s) AND relrowsecurity"


@contextmanager
def without_ownership(app: Flask) -> Iterator[None]:
    """Remove the comparison of path and token: every valid token is accepted."""

    def let_through() -> None:
        authenticate = authorization._services().authenticate
        current_request().caller = authenticate(authorization._bearer_token())

    checks = app.before_request_funcs["tasks"]
    place = checks.index(authorization.enforce_ownership)
    checks[place] = let_through
    try:
        yield
    finally:
        checks[place] = authorization.enforce_ownership


@contextmanager
def without_clause(engine: Engine) -> Iterator[list[str]]:
    """Remove the owner from every WHERE clause; yield the statements sent instead."""
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
def without_policies(database: Database) -> Iterator[None]:
    """Disable row-level security as the tables' owner; restore it afterwards."""
    with psycopg.connect(database.owner, autocommit=True) as owner:
        held = [table for (table,) in owner.execute(HELD, (["tasks", "idempotency_keys"],))]
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
        self.app: Flask = create_app(SqlStorage(engine).open_workspace, SETTINGS)
        self._bob = ApiClient(self.app.test_client(), BOB)
        self._ada = ApiClient(self.app.test_client(), ADA)
        self._task = self._ada.create(title=TITLE)
        self._bob.create(title="Bob's own")
        self._ada("POST", json={"title": TITLE}, headers={"Idempotency-Key": "key"})

    def statuses(self, path: str) -> list[int]:
        """Return the statuses that Bob gets under `path`; no response contains Ada's data."""
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
        """Return whether Ada's task is unchanged."""
        return bool(self._ada("GET", f"/{self._task['id']}").json == self._task)


OWN_LISTS_ONLY = [200, 200, 200, 404, 404, 404, 404, 404, 404]


def test_all_layers_together_deny_access(engine: Engine) -> None:
    """403 under another user's path, 404 for another user's task."""
    attack = Attack(engine)
    assert attack.under_adas_path() == [403] * 9
    assert attack.under_bobs_path() == OWN_LISTS_ONLY
    assert attack.leaves_no_trace()


def test_authorization_alone_denies_access(engine: Engine, database: Database) -> None:
    """Without owner condition and policies, another user's path is 403 before any query."""
    attack = Attack(engine)
    with without_policies(database), without_clause(engine):
        assert attack.under_adas_path() == [403] * 9
    assert attack.leaves_no_trace()


def test_the_owner_condition_alone_denies_access(engine: Engine, database: Database) -> None:
    """Without authorization and policies, every query is for Bob's own rows."""
    attack = Attack(engine)
    with without_policies(database), without_ownership(attack.app):
        assert attack.under_adas_path() == OWN_LISTS_ONLY
        assert attack.under_bobs_path() == OWN_LISTS_ONLY
    assert attack.leaves_no_trace()


def test_row_level_security_alone_denies_access(engine: Engine) -> None:
    """Without authorization and owner condition, PostgreSQL returns only Bob's rows."""
    attack = Attack(engine)
    with without_ownership(attack.app), without_clause(engine) as sent:
        assert attack.under_adas_path() == OWN_LISTS_ONLY
        assert attack.under_bobs_path() == OWN_LISTS_ONLY
    assert len(sent) == 20
    assert attack.leaves_no_trace()


def test_without_policies_the_owner_condition_is_the_last_layer(sqlite: Engine) -> None:
    """On SQLite its removal exposes another user's task, so the removal works."""
    attack = Attack(sqlite)
    assert attack.under_bobs_path() == OWN_LISTS_ONLY
    with without_clause(sqlite), pytest.raises(AssertionError, match=TITLE):
        attack.under_bobs_path()
