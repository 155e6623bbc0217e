"""OpenAPI document: its metadata, security scheme, links and shared responses."""

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from taskservice.adapters.http.openapi.problems import (
    PROBLEM_RESPONSES,
    ProblemSchema,
    problem_response,
)
from taskservice.adapters.http.protocol.problems import on_http_exception
from taskservice.adapters.http.protocol.strict_fields import ListParameter

DESCRIPTION = """\
Create, list, read, update, complete, move and delete tasks, and lists of them. Every user has
their own. Deleted tasks can be restored from the trash, and any change of a task undone.

- Send `Authorization: Bearer <token>`. The user in the path must be the token's subject.
- Errors are `application/problem+json` (RFC 9457). The `type` is stable, and its path explains it.
- Times are RFC 3339 in UTC, with microseconds. Ids are sorted by creation.
- An update does not change fields that are absent from it.
- Every operation evaluates `If-Match` and `If-None-Match` (RFC 9110, section 13). If one fails, the
  response is 412 and nothing changes, or 304 for `If-None-Match` on a GET. A collection has none.
"""

OPENAPI_VERSION = "3.1.0"
API_VERSION = "1.0.0"


def _link(
    operation: str, description: str, at: str = "", *, entity: str = "task", **parameters: str
) -> dict[str, Any]:
    """Return a link to an operation on the entity at the JSON pointer `at` of a body."""
    return {
        "operationId": operation,
        "description": description,
        "parameters": {
            "user_id": f"$response.body#{at}/user_id",
            f"{entity}_id": f"$response.body#{at}/id",
            **parameters,
        },
    }


_IF_UNCHANGED = {"If-Match": "$response.header.ETag"}
LINKS = {
    "get_task": _link("get_task", "Read this task."),
    "update_task": _link(
        "update_task", "Update this task, unless it has changed.", **_IF_UNCHANGED
    ),
    "patch_task": _link(
        "patch_task", "Update some fields of this task, unless it has changed.", **_IF_UNCHANGED
    ),
    "complete_task": _link("complete_task", "Set the completion of this task."),
    "delete_task": _link(
        "delete_task", "Delete this task, unless it has changed.", **_IF_UNCHANGED
    ),
    "get_first_task": _link("get_task", "Read the first task of the page.", "/0"),
    "move_task": _link("move_task", "Move this task among its siblings."),
    "list_task_changes": _link("list_task_changes", "List the changes of this task."),
    "get_first_trashed_task": _link("get_trashed_task", "Read the first task of the page.", "/0"),
    "restore_task": _link("restore_task", "Restore this task."),
    "purge_task": _link("purge_task", "Delete this task for good."),
    "get_list": _link("get_list", "Read this list.", entity="list"),
    "patch_list": _link(
        "patch_list", "Rename this list, unless it has changed.", entity="list", **_IF_UNCHANGED
    ),
    "move_list": _link("move_list", "Move this list among the lists.", entity="list"),
    "delete_list": _link(
        "delete_list", "Delete this list, unless it has changed.", entity="list", **_IF_UNCHANGED
    ),
    "get_first_list": _link("get_list", "Read the first list.", "/0", entity="list"),
}
"""OpenAPI links by name: operations that take values of a response."""

TASK_LINKS = [
    *("get_task", "update_task", "patch_task", "complete_task", "move_task", "delete_task"),
    "list_task_changes",
]
TRASH_LINKS = ["restore_task", "purge_task", "list_task_changes"]
LIST_LINKS = ["get_list", "patch_list", "move_list", "delete_list"]


class _Converter(OpenAPIConverter):
    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Return the JSON Schema of a schema, with its keywords of the whole object."""
        converted: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        return {**converted, **getattr(schema, "json_schema", {})}


class _Plugin(MarshmallowPlugin):
    Converter = _Converter


class ProblemApi(Api):
    """flask-smorest's Api, with problem details for errors of the framework."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Any:
        """Return the response to an error of the framework."""
        return on_http_exception(error)

    def _register_pagination_header(self) -> None:
        """Leave out the pagination of flask-smorest, which is by page number."""

    def _register_responses(self) -> None:
        """Register a named response for each problem type. apispec omits unused ones."""
        for problem, (_, name) in PROBLEM_RESPONSES.items():
            self.spec.components.response(name, problem_response(problem), lazy=True)


def create_api(app: Flask) -> ProblemApi:
    """Return the Api of `app`, with an empty document to which blueprints add operations."""
    app.config.update(
        API_TITLE="taskservice", API_VERSION=API_VERSION, OPENAPI_VERSION=OPENAPI_VERSION
    )
    api = ProblemApi(
        app,
        spec_kwargs={
            "marshmallow_plugin": _Plugin(),
            "info": {
                "description": DESCRIPTION,
                "contact": {"name": "The operator of this service"},
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/", "description": "This service."}],
            "security": [{"bearer": []}],
            "components": {"links": LINKS},
        },
    )
    assert api.ma_plugin.converter is not None
    api.ma_plugin.converter.add_parameter_attribute_function(_list_style)
    api.spec.components.security_scheme(
        "bearer",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A JSON Web Token whose subject is the user in the path.",
        },
    )
    return api


def _list_style(_converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """Return how a parameter that is a list is written: with commas between the items."""
    return {"style": "form", "explode": False} if isinstance(field, ListParameter) else {}
