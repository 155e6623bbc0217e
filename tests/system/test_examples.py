"""The document's examples are true: each is sent to a running service, and its answer compared."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.http_callers import token_of
from tests.openapi_operations import Operation, examples, operations
from tests.processes import Answer, Service, gunicorn

from taskservice.adapters.http.openapi.examples import TASK_ID

MADE = {"id", "created_at", "updated_at", "completed_at", "position"}
MADE |= {"trashed_at", "purged_after", "sequence", "at", "client", "request_id"}


@pytest.fixture(scope="module")
def service(
    production: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("examples")
    with gunicorn(folder, **production) as service:
        yield service


@pytest.fixture(scope="module")
def documented(service: Service) -> dict[str, Operation]:
    """The operations of the document as it is served, by name."""
    document = service("GET", "/openapi.json").json
    return {operation.name: operation for operation in operations(document)}


LABELS = {"list_labels": ["garden", "home"]}
"""Labels of the task that an example is about."""

TRASHED = {"list_trash": 1, "get_trashed_task": 1, "restore_task": 1, "purge_task": 1}
TRASHED |= {"purge_trash": 17}
"""How many tasks are in the trash. The one that an example is about is the newest."""


def new_entities(service: Service, user: str, name: str) -> dict[str, str]:
    """Return the ids of a user's only task and only list, as the example of an operation has them.

    They are parameters of its path. The task may be in the trash.
    """
    path, token = f"/api/tasks/{user}", token_of(user)
    for entities in ("tasks", "lists"):
        for one in service("GET", f"{path}/{entities}", token).json:
            service("DELETE", f"{path}/{entities}/{one['id']}", token)
    service("DELETE", f"{path}/trash", token)
    new = {"title": "Buy milk", "labels": LABELS.get(name, [])}
    for _ in range(TRASHED.get(name, 1)):
        task = service("POST", f"{path}/tasks", token, new).json
        if name in TRASHED:
            service("DELETE", f"{path}/tasks/{task['id']}", token)
    a_list = service("POST", f"{path}/lists", token, {"name": "Groceries"}).json
    return {"task_id": task["id"], "list_id": a_list["id"]}


def send(
    service: Service,
    operation: Operation,
    user: str,
    ids: dict[str, str],
    body: Any,
    **headers: str,
) -> Answer:
    path = operation.path.format(user_id=user, **ids)
    if operation.name == "undo_task_change":
        history = f"{path.removesuffix('undo')}history"
        body = {"sequence": service("GET", history, token_of(user)).json[0]["sequence"]}
    return service(operation.method, path, token_of(user), body, **headers)


def masked(value: Any) -> Any:
    """Return a body without what the service makes anew each time, its id in any member."""
    if isinstance(value, list):
        return [masked(one) for one in value]
    made = MADE | {name for name, member in value.items() if member and member == value.get("id")}
    return {
        name: type(member).__name__ if name in made else member for name, member in value.items()
    }


def without_ids(value: Any) -> Any:
    """Return a body with masked objects at every depth, and a number in place of each id."""
    ids: dict[str, str] = {}
    text = json.dumps(value, sort_keys=True)
    text = _ids.sub(lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text)
    return json.loads(text, object_hook=lambda one: masked(one) | {"id": one.get("id")})


_ids = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

NAMES = [
    *("list_tasks", "create_task", "get_task", "update_task", "patch_task", "complete_task"),
    *("move_task", "delete_task", "list_labels", "rename_label", "run_batch", "livez", "readyz"),
    "list_changes",
    *("list_trash", "get_trashed_task", "restore_task", "purge_task", "purge_trash"),
    *("list_task_changes", "undo_task_change", "get_summary"),
    *("list_lists", "create_list", "get_list", "patch_list", "move_list", "delete_list"),
]


def test_these_are_all_operations(documented: dict[str, Operation]) -> None:
    """No operation goes without, and each says in words what it does, and more than its name."""
    assert sorted(documented) == sorted(NAMES)
    for operation in documented.values():
        assert operation.said["summary"]
        assert all(parameter["description"] for parameter in operation.said["parameters"])
        assert len(operation.said["description"]) > len(operation.said["summary"])


ON_THEIR_OWN = {"list_changes", "list_task_changes", "undo_task_change", "get_summary"}
ON_THEIR_OWN |= {"rename_label", "run_batch", "delete_list"}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ON_THEIR_OWN])
def test_a_request_is_answered_as_its_example_says(
    service: Service, documented: dict[str, Operation], name: str
) -> None:
    """Each body that the document shows is answered with the status and the body that it shows.

    Those of one operation follow one another, on a task and a list that are new for each
    media type.
    """
    operation = documented[name]
    status, said = operation.success
    answers = examples(said.get("content", {}).get("application/json", {}))
    for media_type, content in (operation.bodies or {"": {"example": None}}).items():
        ids, bodies = new_entities(service, "ada", name), examples(content)
        assert bodies.keys() == (answers.keys() or {""})
        for example, body in bodies.items():
            headers = {"Content-Type": media_type} if media_type else {}
            answer = send(service, operation, "ada", ids, body, **headers)
            assert answer.status == status, answer.body
            shown = masked(answers[example]) if answers else None
            assert (masked(answer.json) if answer.body else None) == shown


def test_a_sync_is_answered_as_its_example_says(
    service: Service, documented: dict[str, Operation]
) -> None:
    """A list, a task and a deleted task are what a client is shown that has seen none of them."""
    (shown,) = examples(
        documented["list_changes"].success[1]["content"]["application/json"]
    ).values()
    path, token = "/api/tasks/grace", token_of("grace")
    page = {"next": "", "more": True}
    while page["more"]:
        since = f"?since={page['next']}" if page["next"] else ""
        page = service("GET", f"{path}/changes{since}", token).json
    service("POST", f"{path}/lists", token, {"name": "Groceries"})
    service("POST", f"{path}/tasks", token, {"title": "Buy milk"})
    gone = service("POST", f"{path}/tasks", token, {"title": "Buy bread"}).json
    service("DELETE", f"{path}/tasks/{gone['id']}", token)
    answer = service("GET", f"{path}/changes?since={page['next']}", token).json
    assert [*map(entity, answer.pop("changes"))] == [*map(entity, shown.pop("changes"))]
    assert answer | {"next": ""} == shown | {"next": ""}


def test_an_undo_and_the_history_are_answered_as_their_examples_say(
    service: Service, documented: dict[str, Operation]
) -> None:
    """A change of the title is undone; the newest change of a completed task is its completion."""
    ids = new_entities(service, "ada", "undo_task_change")
    path, token = f"/api/tasks/ada/tasks/{ids['task_id']}", token_of("ada")
    service("PATCH", path, token, {"title": "Buy bread"})
    answer = send(service, documented["undo_task_change"], "ada", ids, None)
    (shown,) = shown_by(documented["undo_task_change"])
    assert (answer.status, masked(answer.json)) == (200, masked(shown))
    ids = new_entities(service, "ada", "list_task_changes")
    service("PATCH", f"/api/tasks/ada/tasks/{ids['task_id']}/complete", token)
    answer = send(service, documented["list_task_changes"], "ada", ids, None)
    (shown,) = shown_by(documented["list_task_changes"])
    assert [without_types(one) for one in answer.json[:1]] == [without_types(one) for one in shown]


def test_a_summary_is_answered_as_its_example_says(
    service: Service, documented: dict[str, Operation]
) -> None:
    """With the members that it shows, and the numbers of what there is."""
    ids = new_entities(service, "ada", "list_labels")
    answer = send(service, documented["get_summary"], "ada", ids, None).json
    (shown,) = shown_by(documented["get_summary"])
    assert list(answer) == list(shown)
    for name in ("lists", "labels"):
        assert list(answer[name][0]) == list(shown[name][0])
    assert (answer["open"], [one["open"] for one in answer["labels"]]) == (1, [1, 1])


def test_a_batch_is_answered_as_its_examples_say(
    service: Service, documented: dict[str, Operation]
) -> None:
    """With the tasks that each creates or names, one below the other where the example says so."""
    operation, shown = documented["run_batch"], shown_by(documented["run_batch"])
    bodies = examples(operation.bodies["application/json"]).values()
    for body, expected in zip(bodies, shown, strict=True):
        ids = new_entities(service, "ada", "run_batch")
        own = json.loads(json.dumps(body).replace(TASK_ID, ids["task_id"]))
        answer = send(service, operation, "ada", ids, own)
        assert answer.status == operation.success[0], answer.body
        assert without_ids(answer.json) == without_ids(expected)


def test_a_renaming_is_answered_as_its_example_says(
    service: Service, documented: dict[str, Operation]
) -> None:
    """One task has the label, and another has the new one."""
    operation, (shown,) = documented["rename_label"], shown_by(documented["rename_label"])
    (body,) = examples(operation.bodies["application/json"]).values()
    ids = new_entities(service, "ada", "rename_label")
    for label in body["label"], body["new"]:
        new = {"title": "Buy milk", "labels": [label]}
        service("POST", "/api/tasks/ada/tasks", token_of("ada"), new)
    assert send(service, operation, "ada", ids, body).json == shown


def test_a_list_is_deleted_as_its_example_says(
    service: Service, documented: dict[str, Operation]
) -> None:
    """One with a task more than the example moves, in steps; without a limit there is no body."""
    operation, (shown,) = documented["delete_list"], shown_by(documented["delete_list"])
    path, token = "/api/tasks/lise", token_of("lise")
    ids = new_entities(service, "lise", "delete_list")
    new = {"op": "create", "task": {"title": "Buy milk", "list_id": ids["list_id"]}}
    for commands in [*[[new] * 100] * (shown["done"] // 100), [new]]:
        assert service("POST", f"{path}/batch", token, {"commands": commands}).status == 200
    in_steps = operation._replace(path=f"{operation.path}?tasks=inbox&limit={shown['done']}")
    steps = [send(service, in_steps, "lise", ids, None) for _ in range(2)]
    assert [(one.status, one.json) for one in steps] == [
        (200, shown),
        (200, {"done": 1, "more": False}),
    ]
    ids = new_entities(service, "ada", "delete_list")
    answer = send(service, operation, "ada", ids, None)
    assert (answer.status, answer.body) == (204, b"")


def shown_by(operation: Operation) -> list[Any]:
    """Return the answers that the document shows for an operation."""
    return [*examples(operation.success[1]["content"]["application/json"]).values()]


def without_types(change: dict[str, Any]) -> dict[str, Any]:
    """Return a change without what differs each time, with the names of its members."""
    return {name: None if name in MADE else member for name, member in change.items()}


def entity(change: dict[str, Any]) -> Any:
    """Return the entity of a change with its kind, and whether it is gone."""
    kind = change["kind"]
    content = masked({**change.get(kind, {}), "user_id": "ada"})
    return kind, content, change.get("gone"), change.keys() - {kind, "gone"}


def written(value: Any) -> str:
    """Return the value of a parameter as a query has it."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


NEEDED = {("delete_list", "limit"): {"tasks": "inbox"}}
"""What else a parameter of an operation needs."""

WITHOUT_LIMIT = {"delete_list": 204}
"""The status of success of an operation that has another one with a limit."""


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_parameters_are_heeded(
    service: Service, documented: dict[str, Operation], name: str
) -> None:
    """Each query parameter and header has an example, which is taken. Tokens have none."""
    operation = documented[name]
    shown = [body for content in operation.bodies.values() for body in examples(content).values()]
    for parameter in operation.said["parameters"]:
        if parameter["in"] == "path" or parameter["name"] in {"cursor", "since"}:
            continue
        ids = new_entities(service, name, name)
        if parameter["in"] == "header":
            asked = {parameter["name"]: parameter["example"]}
            answer = send(service, operation, name, ids, shown[0] if shown else None, **asked)
        else:
            asked = {parameter["name"]: written(parameter["schema"]["example"])}
            asked |= NEEDED.get((name, parameter["name"]), {})
            with_query = operation._replace(path=f"{operation.path}?{urlencode(asked)}")
            answer = send(service, with_query, name, ids, None)
        expected = operation.success[0]
        if parameter["name"] == "If-None-Match":
            expected = 304
        elif parameter["name"] != "limit":
            expected = WITHOUT_LIMIT.get(name, expected)
        assert answer.status == expected, (asked, answer.body)


def test_what_the_server_cannot_read_is_its_own_page(
    service: Service, documented: dict[str, Operation]
) -> None:
    """The probes document gunicorn's own 400, and it is one."""
    operation = documented["livez"]
    answer = service("GET", operation.path, None, None, **{"Bad Name": "x"})
    (media_type,) = operation.said["responses"]["400"]["content"]
    assert (answer.status, answer.headers["Content-Type"]) == (400, media_type)
