"""The document's examples of problems are true: each is provoked, and compared."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from tests.http_callers import SETTINGS, ApiClient, application
from tests.openapi_operations import examples, resolved

from taskservice.adapters.http.api import sync_tokens
from taskservice.adapters.http.protocol.request import BODY_LIMIT
from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import openapi_document
from taskservice.config import Settings
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin, Position
from taskservice.core.errors import IdempotencyKeyInUse, StorageFull, Unavailable
from taskservice.core.sync import SyncState
from taskservice.core.workspace import OpenWorkspace, Workspace

UNUSED = "/01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
DOCUMENT = json.loads(openapi_document())
SHOWN: dict[str, Any] = {
    problem: example
    for response in DOCUMENT["components"]["responses"].values()
    for problem, example in examples(response["content"]["application/problem+json"]).items()
}


def over(open_workspace: OpenWorkspace, **settings: Any) -> ApiClient:
    """Return Ada, who calls the API over `open_workspace`."""
    known = Settings(**{**vars(SETTINGS), **settings})
    return ApiClient(application(open_workspace, known).test_client(), "ada")


def usual(**settings: Any) -> ApiClient:
    return over(InMemoryStorage().open_workspace, **settings)


def failing(error: Exception) -> ApiClient:
    def open_workspace(
        owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> AbstractContextManager[Workspace]:
        raise error

    return over(open_workspace)


def anonymous() -> Any:
    ada = usual()
    ada.token = "none"
    return ada("GET")


def a_list_in_use() -> Any:
    ada = usual()
    list_id = ada.create_list()["id"]
    ada.create(list_id=list_id)
    return ada("DELETE", f"{ada.lists}/{list_id}")


def an_undo_in_the_way() -> Any:
    ada = usual()
    path = f"/{ada.create()['id']}"
    for title in ("Buy oat milk", "Buy soy milk"):
        ada("PATCH", path, json={"title": title})
    return ada("POST", f"{path}/undo", json={"sequence": 2})


def a_lost_update() -> Any:
    ada = usual()
    return ada("DELETE", f"/{ada.create()['id']}", headers={"If-Match": '"7"'})


def a_token_of_another_log() -> Any:
    position = Position(815, 1)
    token = sync_tokens.encode("ada", SyncState(position, position))
    return usual()("GET", f"/api/tasks/ada/changes?since={token}")


def an_unguarded_update() -> Any:
    ada = usual(require_if_match=True)
    return ada("DELETE", f"/{ada.create()['id']}")


def a_key_twice() -> Any:
    ada = usual()
    for title in ("Buy milk", "Buy bread"):
        answer = ada("POST", json={"title": title}, headers={"Idempotency-Key": "k"})
    return answer


def a_second_request() -> Any:
    ada = usual(rate_limit="1/minute")
    ada("GET")
    return ada("GET")


def post(**request: Any) -> Any:
    return usual()("POST", **request)


JSON = "application/json"
PROVOKED: dict[str, Callable[[], Any]] = {
    "unauthenticated": anonymous,
    "not-your-tasks": lambda: usual()("GET", "/api/tasks/bob/tasks"),
    "task-not-found": lambda: usual()("GET", UNUSED),
    "list-not-found": lambda: usual()("GET", f"/api/tasks/ada/lists{UNUSED}"),
    "sync-expired": a_token_of_another_log,
    "list-not-empty": a_list_in_use,
    "undo-conflict": an_undo_in_the_way,
    "too-many-requests": a_second_request,
    "body-too-large": lambda: post(data=b" " * (BODY_LIMIT + 1), content_type=JSON),
    "unsupported-media-type": lambda: post(data="Buy milk", content_type="text/plain"),
    "malformed-request": lambda: post(data="", content_type=JSON),
    "invalid-request": lambda: post(json={"title": " "}),
    "precondition-failed": a_lost_update,
    "precondition-required": an_unguarded_update,
    "key-in-use": lambda: failing(IdempotencyKeyInUse())("POST", json={"title": "Buy milk"}),
    "key-reused": a_key_twice,
    "unavailable": lambda: failing(Unavailable("", "not_applied"))("POST", json={"title": "x"}),
    "storage-full": lambda: failing(StorageFull(""))("POST", json={"title": "x"}),
    "internal": lambda: failing(RuntimeError())("GET"),
}


def test_every_problem_has_an_example() -> None:
    """What an operation can be answered, the document shows."""
    assert SHOWN.keys() == PROVOKED.keys()


@pytest.mark.parametrize("problem", PROVOKED)
def test_a_problem_is_as_its_example(problem: str) -> None:
    """The answer is the example, but for where it was asked and its id; headers are documented."""
    answer = PROVOKED[problem]()
    own = {name: answer.json[name] for name in ("instance", "request_id")}
    assert answer.json == SHOWN[problem] | own
    assert answer.status_code == SHOWN[problem]["status"]


def test_problems_have_the_headers_that_their_response_names() -> None:
    """`Retry-After` and `WWW-Authenticate` come with one of them where the document says so."""
    logged = {"Retry-After", "WWW-Authenticate"}
    for name, response in DOCUMENT["components"]["responses"].items():
        problems = examples(response["content"]["application/problem+json"])
        found = {header for one in problems for header, _ in PROVOKED[one]().headers}
        assert logged & found == logged & response["headers"].keys(), name


def test_references_lead_to_what_is_documented() -> None:
    """An operation's problems are those of its responses, each under its own status."""
    for item in DOCUMENT["paths"].values():
        for method, said in item.items():
            if method == "parameters":
                continue
            for status, response in said["responses"].items():
                content = resolved(DOCUMENT, response).get("content", {})
                for shown in examples(content.get("application/problem+json", {})).values():
                    assert str(shown["status"]) == status
