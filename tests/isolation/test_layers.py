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

from taskservice.adapters.http.api import sync_tokens
from taskservice.adapters.http.protocol import authorization
from taskservice.adapters.http.protocol.request import current_request
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.app import create_app
from taskservice.core.changes import Position
from taskservice.core.sync import SyncState
from taskservice.core.task import Task
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

    enforced = authorization.enforce_ownership
    checks = [one for one in app.before_request_funcs.values() if enforced in one]
    assert len(checks) == 8
    for one in checks:
        one[one.index(enforced)] = let_through
    try:
        yield
    finally:
        for one in checks:
            one[one.index(let_through)] = enforced


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
        names = [table.name for table in OWNED_TABLES]
        held = [table for (table,) in owner.execute(HELD, (names,))]
        for table in held:
            owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY".encode())
        try:
            yield
        finally:
            for table in held:
                owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())


class Attack:
    """Bob tries to reach Ada's task, its sub-task, its list, her series, trash and changes.

    He does so under her path and his own.
    """

    def __init__(self, engine: Engine) -> None:
        self.app: Flask = create_app(SqlStorage(engine).open_workspace, SETTINGS)
        self._bob = ApiClient(self.app.test_client(), BOB)
        self._ada = ApiClient(self.app.test_client(), ADA)
        self._list = self._ada.create_list(TITLE)
        self._task = self._ada.create(title=TITLE, list_id=self._list["id"], labels=["home"])
        self._ada.create(title=TITLE, parent_id=self._task["id"])
        recurring = self._ada.create(title=TITLE, due="2026-03-29", recurrence="FREQ=DAILY")
        self._closed = self._ada("PATCH", f"/{recurring['id']}/complete").json
        self._trashed = self._ada.create(title=TITLE, list_id=self._list["id"])
        self._ada("DELETE", f"/{self._trashed['id']}")
        self._bob.create(title="Bob's own")
        self._bob.create_list("Bob's own")
        self._ada("POST", json={"title": TITLE}, headers={"Idempotency-Key": "key"})
        self._token = self._ada("GET", f"/api/tasks/{ADA}/changes").json["next"]
        self._before = self._all_of_ada()

    def statuses(self, path: str) -> list[int]:
        """Return the statuses that Bob gets under `path`; no response contains Ada's data."""
        answers = [
            *self._try_tasks(f"{path}/tasks"),
            *self._try_series(f"{path}/tasks"),
            *self._try_lists(f"{path}/lists"),
            *self._try_changes(f"{path}/changes"),
            *self._try_trash(f"{path}/trash"),
            *self._try_history(f"{path}/tasks"),
            *self._try_batches(f"{path}/batch"),
            self._bob("PATCH", f"{path}/labels", json={"label": "home", "new": "mine now"}),
            self._bob("GET", f"{path}/summary"),
        ]
        assert [answer.text for answer in answers if TITLE in answer.text] == []
        assert answers[2].headers.get("X-Total-Count", "1") == "1"
        assert answers[-1].json.get("open", 1) == 1
        return [answer.status_code for answer in answers]

    def _try_tasks(self, path: str) -> list[Any]:
        one, key = f"{path}/{self._task['id']}", {"Idempotency-Key": "key"}
        return [
            self._bob("GET", path),
            self._bob("GET", f"{path}?q=secret"),
            self._bob("GET", path, headers={"Prefer": "count=exact"}),
            self._bob("GET", f"{path}?list_id={self._list['id']}&sort=position"),
            self._bob("GET", one),
            self._bob("PUT", one, json={"title": "Mine now"}),
            self._bob("PATCH", one, json={"title": "Mine now"}),
            self._bob("PATCH", f"{one}/complete"),
            self._bob("PATCH", f"{one}/position", json={"place": "last"}),
            self._bob("DELETE", f"{one}?subtasks=delete"),
            self._bob("DELETE", one),
            self._bob("DELETE", one, headers=key),
            self._bob("POST", path, json={"title": "x", "parent_id": self._task["id"]}),
            self._bob("POST", path, json={"title": "x", "list_id": self._list["id"]}),
        ]

    def _try_series(self, path: str) -> list[Any]:
        first, following = (f"{path}/{self._closed[name]}" for name in ("id", "next_id"))
        return [
            self._bob("GET", f"{path}?series_id={self._closed['series_id']}"),
            self._bob("PATCH", f"{first}/complete", json={"completed": False}),
            self._bob("PATCH", following, json={"status": "cancelled"}),
        ]

    def _try_lists(self, path: str) -> list[Any]:
        one = f"{path}/{self._list['id']}"
        return [
            self._bob("GET", path),
            self._bob("GET", one),
            self._bob("PATCH", one, json={"name": "Mine now"}),
            self._bob("PATCH", f"{one}/position", json={"place": "last"}),
            self._bob("DELETE", f"{one}?tasks=delete"),
            self._bob("DELETE", f"{one}?tasks=inbox&limit=1"),
            self._bob("DELETE", one),
        ]

    def _try_changes(self, path: str) -> list[Any]:
        start = Position(0, 0)
        changes, tasks = SyncState(start, start), SyncState(start, start, Task)
        tokens = [sync_tokens.encode(BOB, state) for state in (changes, tasks)]
        return [
            self._bob("GET", path),
            *(self._bob("GET", f"{path}?since={token}") for token in tokens),
            self._bob("GET", f"{path}?since={self._token}"),
        ]

    def _try_trash(self, path: str) -> list[Any]:
        one = f"{path}/{self._trashed['id']}"
        return [
            self._bob("GET", path),
            self._bob("GET", one),
            self._bob("POST", f"{one}/restore"),
            self._bob("DELETE", one),
            self._bob("DELETE", path),
        ]

    def _try_history(self, path: str) -> list[Any]:
        ids = [self._task["id"], self._trashed["id"]]
        return [
            *(self._bob("GET", f"{path}/{one}/history") for one in ids),
            *(self._bob("POST", f"{path}/{one}/undo", json={"sequence": 1}) for one in ids),
        ]

    def _try_batches(self, path: str) -> list[Any]:
        one = {"id": self._task["id"]}
        return [
            self._bob("POST", path, json={"commands": [command]})
            for command in (
                {"op": "update", **one, "changes": {"title": "Mine now"}},
                {"op": "complete", **one},
                {"op": "delete", **one, "subtasks": "delete"},
                {"op": "restore", "id": self._trashed["id"]},
                {"op": "create", "task": {"title": "x", "parent_id": self._task["id"]}},
                {"op": "create", "task": {"title": "x", "list_id": self._list["id"]}},
            )
        ]

    def under_adas_path(self) -> list[int]:
        return self.statuses(f"/api/tasks/{ADA}")

    def under_bobs_path(self) -> list[int]:
        return self.statuses(self._bob.path.removesuffix("/tasks"))

    def leaves_no_trace(self) -> bool:
        """Return whether Ada's tasks, lists and trash are unchanged, and their log."""
        return self._all_of_ada() == self._before

    def _all_of_ada(self) -> list[Any]:
        own = f"/api/tasks/{ADA}"
        history = f"{self._ada.path}/{self._trashed['id']}/history"
        changes = f"{own}/changes?since={self._token}"
        paths = (self._ada.path, self._ada.lists, f"{own}/trash", history, changes)
        return [self._ada("GET", path).json for path in paths]


OWN_ONLY = [200] * 4 + [404] * 8 + [422] * 2 + [200] + [404] * 2 + [200] + [404] * 6
OWN_ONLY += [200] * 3 + [400]
OWN_ONLY += [200] + [404] * 3 + [200] + [404] * 4
OWN_ONLY += [404] * 4 + [422] * 2 + [200] * 2
"""Bob's lists, changes and trash are his own. Ada's tasks, list and token do not exist."""
FORBIDDEN = [403] * len(OWN_ONLY)


def test_all_layers_together_deny_access(engine: Engine) -> None:
    """403 under another user's path, 404 for another user's task."""
    attack = Attack(engine)
    assert attack.under_adas_path() == FORBIDDEN
    assert attack.under_bobs_path() == OWN_ONLY
    assert attack.leaves_no_trace()


def test_authorization_alone_denies_access(engine: Engine, database: Database) -> None:
    """Without owner condition and policies, another user's path is 403 before any query."""
    attack = Attack(engine)
    with without_policies(database), without_clause(engine):
        assert attack.under_adas_path() == FORBIDDEN
    assert attack.leaves_no_trace()


def test_the_owner_condition_alone_denies_access(engine: Engine, database: Database) -> None:
    """Without authorization and policies, every query is for Bob's own rows."""
    attack = Attack(engine)
    with without_policies(database), without_ownership(attack.app):
        assert attack.under_adas_path() == OWN_ONLY
        assert attack.under_bobs_path() == OWN_ONLY
    assert attack.leaves_no_trace()


def test_row_level_security_alone_denies_access(engine: Engine) -> None:
    """Without authorization and owner condition, PostgreSQL returns only Bob's rows."""
    attack = Attack(engine)
    with without_ownership(attack.app), without_clause(engine) as sent:
        assert attack.under_adas_path() == OWN_ONLY
        assert attack.under_bobs_path() == OWN_ONLY
    assert len(sent) == 196
    assert attack.leaves_no_trace()


def test_without_policies_the_owner_condition_is_the_last_layer(sqlite: Engine) -> None:
    """On SQLite its removal exposes another user's task, so the removal works."""
    attack = Attack(sqlite)
    assert attack.under_bobs_path() == OWN_ONLY
    with without_clause(sqlite), pytest.raises(AssertionError, match=TITLE):
        attack.under_bobs_path()
