"""Delta sync over HTTP: what a client is sent, and what becomes of its token."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.conftest import StoppableClock
from tests.planning.questions import all_pages, changed, lists_of, new_list
from tests.problem_details import problem
from tests.sync.conftest import Prune

from taskservice.core.owner_data import OpenOwnerData
from taskservice.testing.contract.owner_data import some_tasks

LONG_AGO = datetime(2015, 6, 1, 12, 0, 0, 123456, UTC)
RETENTION = timedelta(days=30)
MEMBERS = ["changes", "next", "more", "full"]


def changes_of(ada: ApiClient) -> str:
    """Return the path of a user's changes."""
    return f"/api/tasks/{ada.user}/changes"


def page_of(ada: ApiClient, **query: Any) -> dict[str, Any]:
    """Return a page of changes."""
    response = ada("GET", changes_of(ada), query_string=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json
    assert list(page) == MEMBERS
    return page


def pages_of(
    ada: ApiClient, since: str | None = None, between: Callable[[], object] = list, **query: Any
) -> list[dict[str, Any]]:
    """Return all pages behind a token, or of a first sync."""
    pages: list[dict[str, Any]] = []
    while not pages or pages[-1]["more"]:
        if pages:
            between()
        pages.append(page_of(ada, **query, **({} if since is None else {"since": since})))
        since = pages[-1]["next"]
    return pages


def synced(ada: ApiClient) -> str:
    """Return the token of a client that has everything."""
    token: str = pages_of(ada)[-1]["next"]
    return token


def copy_from(pages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the entities by id that a client has after these pages."""
    copy: dict[str, Any] = {}
    for entry in (entry for page in pages for entry in page["changes"]):
        copy[entry["id"]] = entry.get(entry["kind"])
    return {entity_id: entity for entity_id, entity in copy.items() if entity is not None}


def everything(ada: ApiClient) -> dict[str, Any]:
    """Return a user's lists and tasks by id."""
    stored = [*ada("GET", lists_of(ada)).json, *all_pages(ada, limit=200)]
    return {one["id"]: one for one in stored}


def entry_of(kind: str, entity: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of an entity that is there."""
    return {"kind": kind, "id": entity["id"], kind: entity}


def test_a_task_that_was_deleted_and_restored_is_one_entry(ada: ApiClient) -> None:
    """The task as it is now; one that is in the trash is gone."""
    restored, trashed = ada.create(), ada.create()
    token = synced(ada)
    for task in (restored, trashed):
        assert ada("DELETE", f"/{task['id']}").status_code == 204
    trash = f"/api/tasks/{ada.user}/trash/{restored['id']}"
    answer = ada("POST", f"{trash}/restore")
    assert answer.status_code == 200, answer.text
    assert page_of(ada, since=token)["changes"] == [
        {"kind": "task", "id": trashed["id"], "gone": True},
        entry_of("task", answer.json),
    ]


def test_a_first_sync_brings_lists_then_tasks(ada: ApiClient) -> None:
    """Each as a GET has it, on full pages. The page behind them is not full."""
    a_list = new_list(ada, "Food")
    task = ada.create(list_id=a_list["id"], labels=["home"], priority=1)
    pages = pages_of(ada)
    assert [page["changes"] for page in pages] == [
        [entry_of("list", a_list)],
        [entry_of("task", task)],
        [],
    ]
    assert [(page["full"], page["more"]) for page in pages] == [
        *((True, True), (True, True), (False, False))
    ]
    assert pages[0]["changes"][0]["list"] == ada("GET", f"{lists_of(ada)}/{a_list['id']}").json
    assert pages[1]["changes"][0]["task"] == ada("GET", f"/{task['id']}").json


def test_a_first_sync_of_nothing_begins_with_a_full_page(ada: ApiClient) -> None:
    """So that a client drops what it had."""
    first, *_, last = pages_of(ada)
    assert (first["changes"], first["full"], first["more"]) == ([], True, True)
    assert (last["changes"], last["full"], last["more"]) == ([], False, False)


def test_a_delta_brings_what_has_changed(ada: ApiClient) -> None:
    """Each once, as it is now, in the order of its last change. What was removed is gone."""
    a_list, kept, removed = new_list(ada, "Food"), ada.create(), ada.create()
    token = synced(ada)
    changed(ada, kept, title="Buy bread")
    added = ada.create(title="Buy butter")
    ada("DELETE", f"/{removed['id']}")
    renamed = ada("PATCH", f"{lists_of(ada)}/{a_list['id']}", json={"name": "Drinks"}).json
    done = ada("PATCH", f"/{kept['id']}/complete", json={"completed": True}).json
    (page,) = pages_of(ada, token)
    assert page["changes"] == [
        entry_of("task", added),
        {"kind": "task", "id": removed["id"], "gone": True},
        entry_of("list", renamed),
        entry_of("task", done),
    ]
    assert (page["more"], page["full"]) == (False, False)


def test_a_removed_list_is_gone(ada: ApiClient) -> None:
    """And its tasks have moved, in the same delta."""
    a_list = new_list(ada, "Food")
    task = ada.create(list_id=a_list["id"])
    token = synced(ada)
    assert ada("DELETE", f"{lists_of(ada)}/{a_list['id']}?tasks=inbox").status_code == 204
    (page,) = pages_of(ada, token)
    assert page["changes"] == [
        entry_of("task", ada("GET", f"/{task['id']}").json),
        {"kind": "list", "id": a_list["id"], "gone": True},
    ]


def test_what_changes_nothing_is_no_change(ada: ApiClient) -> None:
    """An equal update, a refused one, and one at another version: the token stays the same."""
    task = ada.create()
    token = synced(ada)
    assert changed(ada, task, title=task["title"]).status_code == 200
    assert changed(ada, task, title=" ").status_code == 422
    stale = ada("DELETE", f"/{task['id']}", headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert page_of(ada, since=token) == {"changes": [], "next": token, "more": False, "full": False}


def test_a_repeated_request_is_one_change(ada: ApiClient) -> None:
    """With an idempotency key."""
    token = synced(ada)
    for _ in range(2):
        ada("POST", json={"title": "Buy milk"}, headers={"Idempotency-Key": "key"})
    (page,) = pages_of(ada, token, limit=1)
    assert len(page["changes"]) == 1


def test_a_client_that_is_up_to_date_gets_its_token_back(
    ada: ApiClient, clock: StoppableClock, prune: Prune
) -> None:
    """Also a year later, and after the log was pruned."""
    clock.stopped = LONG_AGO
    ada.create()
    token = synced(ada)
    clock.stopped = LONG_AGO + timedelta(days=365)
    prune(clock.stopped - RETENTION, clock.stopped)
    assert page_of(ada, since=token) == {"changes": [], "next": token, "more": False, "full": False}


def test_a_page_that_is_cut_has_the_token_of_the_cut(ada: ApiClient) -> None:
    """The next page begins there. The same token has the same page again."""
    token = synced(ada)
    tasks = [ada.create(title=f"{n}") for n in range(5)]
    pages = pages_of(ada, token, limit=2)
    assert [page["changes"] for page in pages] == [
        [entry_of("task", task) for task in tasks[n : n + 2]] for n in (0, 2, 4)
    ]
    assert [page["more"] for page in pages] == [True, True, False]
    assert pages_of(ada, token, limit=2) == pages


def test_a_first_sync_in_small_pages_agrees_in_the_end(ada: ApiClient) -> None:
    """While tasks that were shown, and others, are changed, removed and created."""
    new_list(ada, "Food")
    for n in range(40):
        ada.create(title=f"{n}")
    turns = iter(range(8))

    def write() -> None:
        for turn in turns:
            ids = [task["id"] for task in all_pages(ada, limit=200)]
            ada("PATCH", f"/{ids[turn]}", json={"title": "late"})
            ada("PATCH", f"/{ids[-1 - turn]}", json={"title": "early"})
            ada("DELETE", f"/{ids[20 + turn % 2]}")
            ada.create(title="new")
            return

    pages = pages_of(ada, between=write, limit=7)
    assert copy_from(pages) == everything(ada)
    assert [*turns] == []


def test_a_client_that_missed_pruned_changes_begins_anew(
    ada: ApiClient, clock: StoppableClock, prune: Prune
) -> None:
    """410 names the way out; without a token everything comes."""
    clock.stopped = LONG_AGO
    token = synced(ada)
    ada.create()
    token_of_one = synced(ada)
    ada.create()
    clock.stopped = LONG_AGO + 2 * RETENTION
    prune(clock.stopped - RETENTION, clock.stopped)
    for expired in (token, token_of_one):
        response = ada("GET", changes_of(ada), query_string={"since": expired})
        body = problem(response, 410, "sync-expired")
        assert body["title"] == "Gone"
        assert (
            body["detail"]
            == "what has changed since then is no longer known: start a first sync without `since`"
        )
    pages = pages_of(ada)
    assert pages[0]["full"]
    assert copy_from(pages) == everything(ada)


def test_a_token_of_erased_data_has_expired(
    ada: ApiClient, open_owner_data_as_admin: OpenOwnerData
) -> None:
    """Before the user comes back, and afterwards."""
    ada.create()
    tokens = [page["next"] for page in pages_of(ada)]
    open_owner_data_as_admin(ada.user).erase()
    for _ in range(2):
        for token in tokens:
            expired = ada("GET", changes_of(ada), query_string={"since": token})
            problem(expired, 410, "sync-expired")
        ada.create()


def test_an_import_is_paged_through(ada: ApiClient, open_owner_data: OpenOwnerData) -> None:
    """Each imported task is a change."""
    token = synced(ada)
    imported = some_tasks(250, ada.user)
    open_owner_data(ada.user).import_entities(imported)
    pages = pages_of(ada, token, limit=100)
    assert [len(page["changes"]) for page in pages] == [100, 100, 50]
    assert copy_from(pages) == everything(ada)


def _flipped(token: str) -> list[str]:
    """Return a token with one bit flipped, for each byte of it."""
    content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return [
        urlsafe_b64encode(content[:n] + bytes([content[n] ^ 1]) + content[n + 1 :])
        .rstrip(b"=")
        .decode()
        for n in range(len(content))
    ]


def test_a_token_that_was_altered_is_400(ada: ApiClient) -> None:
    """A flipped bit, a cut, an addition, a cursor of a list, nothing: all the same error."""
    ada.create()
    ada.create()
    cursor = ada("GET", "?limit=1").headers["Link"].partition("cursor=")[2].partition(">")[0]
    assert cursor
    for token in (page["next"] for page in pages_of(ada, limit=1)):
        altered = [*_flipped(token), token[:-1], token[4:], f"{token}=", f"{token}A"]
        for wrong in (*altered, cursor.partition("&")[0], ""):
            response = ada("GET", changes_of(ada), query_string={"since": wrong})
            body = problem(response, 400, "malformed-request")
            assert body["errors"] == [
                {"parameter": "since", "detail": "the token is not one of this user's"}
            ]
            assert body["detail"] == "the token is not one of this user's"


def test_a_token_is_bound_to_its_user(ada: ApiClient, eve: ApiClient) -> None:
    """400 in another user's own request, 403 under the path of its user."""
    task = ada.create()
    eve.create()
    token = synced(ada)
    own = eve("GET", changes_of(eve), query_string={"since": token})
    assert problem(own, 400, "malformed-request")["errors"] == [
        {"parameter": "since", "detail": "the token is not one of this user's"}
    ]
    foreign = eve("GET", changes_of(ada), query_string={"since": token})
    problem(foreign, 403, "not-your-tasks")
    for response in (own, foreign):
        assert task["id"] not in response.text


def test_another_users_changes_are_not_shown(ada: ApiClient, eve: ApiClient) -> None:
    """In a first sync and in a delta."""
    token = synced(ada)
    eve.create()
    assert page_of(ada, since=token)["next"] == token
    assert copy_from(pages_of(ada)) == {}


@pytest.mark.parametrize("limit", ["0", "201", "x"])
def test_a_limit_is_from_1_to_200(ada: ApiClient, limit: str) -> None:
    """As that of other pages."""
    response = ada("GET", changes_of(ada), query_string={"limit": limit})
    errors = problem(response, 422, "invalid-request")["errors"]
    assert [error["parameter"] for error in errors] == ["limit"]
