"""Delta sync over HTTP: its page, its parameters and its headers."""

import json
from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.openapi_operations import Document
from tests.problem_details import faults, problem

from taskservice.adapters.http.api import sync_tokens
from taskservice.adapters.http.openapi.examples import SYNC_PAGE, TASK
from taskservice.app import openapi_document
from taskservice.core.changes import Position
from taskservice.core.sync import SyncState

DOCUMENT: Document = json.loads(openapi_document())
CHANGES = "/api/tasks/ada/changes"
NOT_A_TOKEN = "the token is not one of this user's"


def page(ada: ApiClient, since: str | None = None, **parameters: Any) -> Any:
    """Return a page of Ada's changes."""
    query = {**parameters, **({} if since is None else {"since": since})}
    answer = ada("GET", CHANGES, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def up_to_date(ada: ApiClient) -> str:
    """Return the token of a client that has everything."""
    found = page(ada)
    while found["more"]:
        found = page(ada, found["next"])
    return str(found["next"])


def test_a_first_sync_has_lists_then_tasks_then_changes(ada: ApiClient) -> None:
    """Full pages with everything, then one that is not full, though all of it is in the log."""
    made, task = ada.create_list("Errands"), ada.create()
    first = page(ada)
    second = page(ada, first["next"])
    last = page(ada, second["next"])
    assert first["changes"] == [{"kind": "list", "id": made["id"], "list": made}]
    assert second["changes"] == [{"kind": "task", "id": task["id"], "task": task}]
    assert last["changes"] == []
    assert [(one["full"], one["more"]) for one in (first, second, last)] == [
        (True, True),
        (True, True),
        (False, False),
    ]


def test_each_change_has_one_member_beside_kind_and_id(ada: ApiClient) -> None:
    """`task`, `list` or `gone`; an entity stands once, as it is now."""
    token = up_to_date(ada)
    made, kept, gone = ada.create_list("Errands"), ada.create(), ada.create()
    kept = ada("PATCH", f"/{kept['id']}", json={"priority": 1}).json
    ada("DELETE", f"/{gone['id']}")
    assert page(ada, token)["changes"] == [
        {"kind": "list", "id": made["id"], "list": made},
        {"kind": "task", "id": kept["id"], "task": kept},
        {"kind": "task", "id": gone["id"], "gone": True},
    ]


def test_an_up_to_date_client_gets_its_token_back(ada: ApiClient) -> None:
    """Nothing has changed: 200, no changes, the same token."""
    ada.create()
    token = up_to_date(ada)
    assert page(ada, token) == {"changes": [], "next": token, "more": False, "full": False}


def test_a_page_has_up_to_100_changes(ada: ApiClient) -> None:
    """The default of `limit`, which counts changes: several of one task are one entry."""
    token, task = up_to_date(ada), ada.create()
    for n in range(100):
        ada("PATCH", f"/{task['id']}", json={"title": f"{n}"})
    found = page(ada, token)
    assert (len(found["changes"]), found["more"]) == (1, True)
    assert page(ada, found["next"])["more"] is False
    assert page(ada, token, limit=200)["more"] is False


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", {"?limit": "must be from 1 to 200"}),
        ("limit=", {"?limit": "must be from 1 to 200"}),
        ("limit=201", {"?limit": "must be from 1 to 200"}),
        ("since=a&since=b", {"?since": "must be given only once"}),
        ("cursor=", {"?cursor": "is not a parameter of this operation"}),
        ("since=x&completed=true", {"?completed": "is not a parameter of this operation"}),
    ],
)
def test_every_fault_of_a_query_is_named(
    ada: ApiClient, query: str, expected: dict[str, str]
) -> None:
    assert faults(ada("GET", f"{CHANGES}?{query}")) == expected


@pytest.mark.parametrize("query", ["since=", "since", "since=x", "since=%FF"])
def test_a_bad_token_is_named(ada: ApiClient, query: str) -> None:
    """400 with the parameter; an empty one too, as a client that lost its token is in error."""
    body = problem(ada("GET", f"{CHANGES}?{query}"), 400, "malformed-request")
    assert body["detail"] == NOT_A_TOKEN
    assert body["errors"] == [{"parameter": "since", "detail": NOT_A_TOKEN}]


def test_an_unknown_position_is_410(ada: ApiClient) -> None:
    """A token of the right form whose change is not in the log."""
    ada.create()
    state = SyncState(Position(1, 1), Position(1, 1))
    token = sync_tokens.encode(ada.user, state)
    body = problem(ada("GET", f"{CHANGES}?since={token}"), 410, "sync-expired")
    assert body["title"] == "Gone"
    assert body["detail"] == (
        "what has changed since then is no longer known: start a first sync without `since`"
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "*"},
        {"If-None-Match": "*"},
        {"If-None-Match": '"1"'},
        {"Prefer": "count=exact"},
        {"Idempotency-Key": "key"},
    ],
)
def test_headers_of_lists_change_nothing(ada: ApiClient, headers: dict[str, str]) -> None:
    """A page has no tag, so it is never 304; it is neither counted nor remembered."""
    ada.create()
    plain, asked = ada("GET", CHANGES), ada("GET", CHANGES, headers=headers)
    assert (asked.status_code, asked.data) == (200, plain.data)
    assert set(asked.headers.keys()) == set(plain.headers.keys())
    assert not {"ETag", "Link", "X-Total-Count", "Preference-Applied"} & set(asked.headers.keys())


def test_a_tag_is_of_no_page(ada: ApiClient) -> None:
    """412, as for other lists; a condition that is none is 400."""
    answer = ada("GET", CHANGES, headers={"If-Match": '"1"'})
    problem(answer, 412, "precondition-failed")
    problem(ada("GET", CHANGES, headers={"If-None-Match": "1"}), 400, "malformed-request")


def test_a_look_has_the_headers_of_the_page(ada: ApiClient) -> None:
    """HEAD: the same, without the body."""
    ada.create()
    page_headers = {"X-Request-Id": "same"}
    read, look = (ada(method, CHANGES, headers=page_headers) for method in ("GET", "HEAD"))
    assert (look.status_code, look.data) == (200, b"")
    assert list(look.headers) == list(read.headers)
    assert look.headers["Cache-Control"] == "private, no-cache"


def test_a_change_is_documented_flat() -> None:
    """One schema without a choice, as generators of clients fail at choices."""
    schemas = DOCUMENT["components"]["schemas"]
    change = schemas["Change"]
    assert change["properties"].keys() == {"kind", "id", "task", "list", "gone"}
    assert set(change["required"]) == {"kind", "id"}
    assert change["properties"]["kind"].keys() == {"type", "description"}, "more kinds may come"
    for name in ("Change", "SyncPage"):
        assert not [word for word in ("oneOf", "anyOf", "allOf") if word in str(schemas[name])]
        assert schemas[name]["additionalProperties"] is True


def test_the_example_has_a_token_of_its_user() -> None:
    """What `next` shows is what the service would answer."""
    state = sync_tokens.decode(str(SYNC_PAGE["next"]), str(TASK["user_id"]))
    assert state.listing is None
    assert state.position == state.seen
