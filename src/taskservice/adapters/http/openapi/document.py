"""The OpenAPI document: what every operation shares, said once."""

from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from taskservice.adapters.http.openapi.problems import (
    PROBLEM_RESPONSES,
    ProblemSchema,
    problem_response,
)
from taskservice.adapters.http.protocol.problems import on_http_exception

DESCRIPTION = """\
Every user has their own tasks: create, list, read, update, complete and delete them.

- Send `Authorization: Bearer <token>`. The token's subject is the user, whose paths alone answer.
- Every error is `application/problem+json` (RFC 9457); its stable `type` leads to its explanation.
- Times are RFC 3339, in UTC, with microseconds. Ids are in order of creation.
- An update never blanks a field that it does not name.
- `If-Match` and `If-None-Match` hold on every operation (RFC 9110, section 13). Where one fails,
  the answer is 412 and nothing is done, or 304 to `If-None-Match` on a GET. A list exists, and has
  no tag.
"""

OPENAPI_VERSION = "3.1.0"
API_VERSION = "1.0.0"


def _link(operation: str, description: str, task: str = "", **parameters: str) -> dict[str, Any]:
    """Return a link from the task at the pointer `task` of a body to an operation on it."""
    return {
        "operationId": operation,
        "description": description,
        "parameters": {
            "user_id": f"$response.body#{task}/user_id",
            "task_id": f"$response.body#{task}/id",
            **parameters,
        },
    }


_AS_SEEN = {"If-Match": "$response.header.ETag"}
LINKS = {
    "get_task": _link("get_task", "Read this task."),
    "update_task": _link("update_task", "Update this task, if it is as it was here.", **_AS_SEEN),
    "patch_task": _link("patch_task", "Update some of it, if it is as it was here.", **_AS_SEEN),
    "complete_task": _link("complete_task", "Set this task's completion."),
    "delete_task": _link("delete_task", "Delete this task, if it is as it was here.", **_AS_SEEN),
    "get_first_task": _link("get_task", "Read the first task of the page.", "/0"),
}
"""What an answer's values are good for (OpenAPI's links), by name."""

ON_A_TASK = ["get_task", "update_task", "patch_task", "complete_task", "delete_task"]


class ProblemApi(Api):
    """flask-smorest's Api, answering every framework error as problem details."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Any:
        """Answer what the framework refused."""
        return on_http_exception(error)

    def _register_pagination_header(self) -> None:
        """Leave out the library's own paging, which counts pages."""

    def _register_responses(self) -> None:
        """Register a named response for each kind of problem; only those in use are written."""
        for problem, (_, name) in PROBLEM_RESPONSES.items():
            self.spec.components.response(name, problem_response(problem), lazy=True)


def document(app: Flask) -> ProblemApi:
    """Return the Api of `app`, with an empty document that blueprints add themselves to."""
    app.config.update(
        API_TITLE="taskservice", API_VERSION=API_VERSION, OPENAPI_VERSION=OPENAPI_VERSION
    )
    api = ProblemApi(
        app,
        spec_kwargs={
            "info": {
                "description": DESCRIPTION,
                "contact": {"name": "Whoever runs this service"},
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/", "description": "This service."}],
            "security": [{"bearer": []}],
            "components": {"links": LINKS},
        },
    )
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
