"""A collection for Postman, Bruno and their like, written from the OpenAPI document.

python -m tests.clients.collection FILE
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.openapi_operations import Document, Operation, operations

from taskservice.adapters.http.openapi.examples import TASK_ID
from taskservice.app import openapi_document

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES = {
    "base_url": "http://127.0.0.1:8000",
    "token": "",
    "user_id": "ada",
    "task_id": "",
    "list_id": "",
    "etag": "",
    "sequence": "",
}
SENT = {"If-Match"}
"""The parameters that a request carries unless it is told not to."""

LAST = [
    *("restore_task", "delete_task", "delete_list", "undo_task_change"),
    *("purge_task", "purge_trash"),
]
"""What comes behind the others of its folder, in this order: it takes away what they need."""

AGAIN = {"delete_task": "trash"}
"""What is sent once more, in another folder: a restored task is deleted, then purged."""

STATUSES = {"delete_list": 204}
"""The status of success without the optional parameters, where they lead to another."""

FROM_RESPONSES = {"sequence": "{{sequence}}"}
"""Members of bodies that a response before has named."""

REMEMBERS = """\
pm.test("{status}", () => pm.response.to.have.status({status}));
if (pm.response.headers.has("ETag")) {{
    pm.collectionVariables.set("etag", pm.response.headers.get("ETag"));
    pm.collectionVariables.set("{variable}", pm.response.json().id);
}}"""
REMEMBERS_OLDEST = 'pm.collectionVariables.set("sequence", pm.response.json().at(-1).sequence);'
"""Of a history: the task was created, so an undo of that fits at any time."""


def collection(document: Document) -> dict[str, Any]:
    """Return the collection of a document: a folder for each tag, a request for each example."""
    return {
        "info": {
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "schema": SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [_pair("token", "{{token}}")]},
        "variable": [_pair(name, value) for name, value in VARIABLES.items()],
        "item": [
            {
                "name": tag["name"],
                "description": tag["description"],
                "item": [
                    request
                    for operation in sorted(operations(document), key=_place)
                    if tag["name"] in {*operation.said["tags"], AGAIN.get(operation.name)}
                    for request in _requests(operation)
                ],
            }
            for tag in document["tags"]
        ],
    }


def _place(operation: Operation) -> tuple[int, bool]:
    """Return what sorts first what makes a task or a list, and last what takes it away."""
    last = LAST.index(operation.name) + 1 if operation.name in LAST else 0
    return last, operation.method != "POST"


def _requests(operation: Operation) -> list[dict[str, Any]]:
    """Return a request for each example of a body, or the one that has no body."""
    summary = operation.said["summary"].rstrip(".")
    for media_type, content in operation.bodies.items():
        return [
            _request(operation, f"{summary}: {example['summary']}", media_type, example["value"])
            for example in content["examples"].values()
        ]
    return [_request(operation, summary)]


def _request(
    operation: Operation, name: str, media_type: str = "", body: Any = None
) -> dict[str, Any]:
    headers = [_header(one) for one in operation.said["parameters"] if one["in"] == "header"]
    request: dict[str, Any] = {
        "method": operation.method,
        "description": operation.said["description"],
        "header": headers,
        "url": _url(operation),
    }
    if media_type:
        headers.insert(0, _pair("Content-Type", media_type))
        request["body"] = {"mode": "raw", "raw": _raw(body)}
    if operation.said.get("security") == []:
        request["auth"] = {"type": "noauth"}
    variable = "list_id" if "lists" in operation.said["tags"] else "task_id"
    status = STATUSES.get(operation.name, operation.success[0])
    script = REMEMBERS.format(status=status, variable=variable).splitlines()
    if operation.name == "list_task_changes":
        script.append(REMEMBERS_OLDEST)
    event = {"listen": "test", "script": {"type": "text/javascript", "exec": script}}
    return {"name": name, "event": [event], "request": request}


def _raw(body: dict[str, Any]) -> str:
    """Return a body as text, with variables in place of what is in no document."""
    variables = {name: FROM_RESPONSES[name] for name in body if name in FROM_RESPONSES}
    text = json.dumps({**body, **variables}, indent=2).replace(TASK_ID, "{{task_id}}")
    return text.replace('"{{sequence}}"', "{{sequence}}")


def _url(operation: Operation) -> dict[str, Any]:
    path = operation.path.replace("{", "{{").replace("}", "}}").strip("/").split("/")
    query = [
        {**_pair(one["name"], _shown(one)), "description": one["description"], "disabled": True}
        for one in operation.said["parameters"]
        if one["in"] == "query"
    ]
    return {
        "raw": "/".join(["{{base_url}}", *path]),
        "host": ["{{base_url}}"],
        "path": path,
        "query": query,
    }


def _header(parameter: dict[str, Any]) -> dict[str, Any]:
    name = parameter["name"]
    value = "{{etag}}" if name in {"If-Match", "If-None-Match"} else _shown(parameter)
    described = {**_pair(name, value), "description": parameter["description"]}
    return described if name in SENT else {**described, "disabled": True}


def _shown(parameter: dict[str, Any]) -> str:
    value = parameter.get("example", parameter["schema"].get("example", ""))
    return value if isinstance(value, str) else json.dumps(value)


def _pair(name: str, value: str) -> dict[str, str]:
    return {"key": name, "value": value}


def written() -> bytes:
    """Return the collection as its file has it."""
    made = collection(json.loads(openapi_document()))
    return json.dumps(made, indent=2, ensure_ascii=False).encode() + b"\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(written())
