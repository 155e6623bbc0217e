"""Delta sync: a token is good for its owner alone, and the log says who made a change."""

import logging
import time
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.http_callers import SETTINGS, ApiClient
from tests.secret_values import SECRET
from tests.token_forge import forge

from taskservice.adapters.http.api import sync_tokens
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.core.changes import Position
from taskservice.core.sync import SyncState
from taskservice.core.task import Task
from taskservice.logs import Formatter
from taskservice.testing import ADA, BOB

BEGINNING = SyncState(Position(0, 0), Position(0, 0))
CHANGES = "SELECT client, request_id FROM changes WHERE user_id = :owner ORDER BY seq"


def changes(user: ApiClient, token: str = "") -> Any:
    """Return a page of a user's changes."""
    query = f"?since={token}" if token else ""
    headers = {"X-Request-Id": "same"}
    return user("GET", f"/api/tasks/{user.user}/changes{query}", headers=headers)


def ends_at(user: ApiClient) -> Position:
    """Return the position of the user's last change."""
    return sync_tokens.decode(changes(user).json["next"], user.user).position


def whole(response: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all that the caller gets."""
    return response.status_code, list(response.headers), response.data


def test_a_token_of_another_user_does_not_tell_of_them(ada: ApiClient, bob: ApiClient) -> None:
    """400 with the same bytes, whether they have tasks, had some, or never came."""
    ada.create()
    known = [changes(ada).json["next"]]
    known.append(changes(ada, known[0]).json["next"])
    known += [sync_tokens.encode(owner, BEGINNING) for owner in (ADA, "auth0|nobody", "\U0001f600")]
    for state in (bob.create, dict):
        state()
        answers = {str(whole(changes(bob, token))) for token in [*known, "none"]}
        assert len(answers) == 1
        assert changes(bob, known[0]).status_code == 400


def test_the_same_numbers_lead_each_user_to_their_own(ada: ApiClient, bob: ApiClient) -> None:
    """A token of Bob's with Ada's very position: 410, as the mark is not that of his change."""
    ada.create()
    bob.create()
    state = sync_tokens.decode(changes(ada).json["next"], ADA)
    forged = [
        sync_tokens.encode(BOB, SyncState(state.position, state.position, listing))
        for listing in (None, Task)
    ]
    assert [changes(bob, token).status_code for token in forged] == [410, 410]


def test_a_page_has_entities_of_its_owner_only(ada: ApiClient, bob: ApiClient) -> None:
    """Each user's changes are numbered by themselves."""
    before = {user.user: ends_at(user) for user in (ada, bob)}
    for n in range(3):
        ada.create(title=f"Ada {n}")
        bob.create(title=f"Bob {n}")
    for user in (ada, bob):
        start = before[user.user]
        page = changes(user, sync_tokens.encode(user.user, SyncState(start, start))).json
        assert [one["task"]["user_id"] for one in page["changes"]] == [user.user] * 3
        end = sync_tokens.decode(page["next"], user.user).position
        assert end.sequence == start.sequence + 3


@pytest.mark.parametrize("storage", ["engine", "sqlite"])
def test_the_log_has_the_client_and_the_request(
    request: pytest.FixtureRequest, storage: str
) -> None:
    """The token's `azp`, or its `client_id`, and the request's id; none where there is none."""
    engine: Engine = request.getfixturevalue(storage)
    client = create_app(SqlStorage(engine).open_workspace, SETTINGS).test_client()
    claims = {"sub": ADA, "exp": int(time.time()) + 60}
    for name, more in (("a", {"azp": "web"}), ("b", {"client_id": "cli"}), ("c", {})):
        caller = ApiClient(client, ADA, forge({**claims, **more}, secret=SECRET))
        made = caller("POST", json={"title": name}, headers={"X-Request-Id": f"request-{name}"})
        assert made.status_code == 201
    seeing = engine
    if storage == "engine":
        seeing = request.getfixturevalue("database").superuser_engine
    with seeing.connect() as connection:
        rows = connection.execute(text(CHANGES), {"owner": ADA}).all()
    assert [tuple(row) for row in rows] == [
        ("web", "request-a"),
        ("cli", "request-b"),
        (None, "request-c"),
    ]


def test_nothing_of_the_log_is_logged(
    ada: ApiClient, bob: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    """No line has a sync token, nor a title as it is or was; nor has an error."""
    caplog.set_level(logging.DEBUG)
    task = ada.create(title="First secret")
    ada("PATCH", f"/{task['id']}", json={"title": "Second secret"})
    tokens = [changes(ada).json["next"]]
    tokens.append(changes(ada, tokens[0]).json["next"])
    refused = [changes(bob, token) for token in tokens]
    state = SyncState(Position(9, 9), Position(9, 9))
    tokens.append(sync_tokens.encode(ADA, state))
    refused.append(changes(ada, tokens[-1]))
    assert [answer.status_code for answer in refused] == [400, 400, 410]
    lines = [Formatter("json").format(record) for record in caplog.records]
    assert len(lines) >= 7
    for told in [*lines, *(answer.text for answer in refused)]:
        assert [one for one in (*tokens, "secret") if one in told] == []
