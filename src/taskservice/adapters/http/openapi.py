"""The OpenAPI document: what every operation shares, said once."""

from typing import Any

from flask import Flask
from flask_smorest import Api
from marshmallow import fields
from werkzeug.exceptions import HTTPException

from taskservice.adapters.http.fields import AnswerSchema
from taskservice.adapters.http.problems import (
    ANSWERS,
    HTTP_PROBLEMS,
    MEDIA_TYPE,
    PROBLEM_TYPES,
    on_http_exception,
)
from taskservice.adapters.http.reference import DESCRIPTION

OPENAPI_VERSION = "3.1.0"
API_VERSION = "1.0.0"


def _response_name(problem: str) -> str:
    return "".join(word.capitalize() for word in problem.split("-"))


PROBLEM_RESPONSES = {
    problem: (kind.status, _response_name(problem)) for problem, kind in PROBLEM_TYPES.items()
}


SHARED_STATUS = {"key-reused": "invalid-request"}
"""A problem, and another of its status that every operation meets which meets the first."""

EXAMPLE_DETAILS = {
    problem: detail for problem, detail, *_ in (*HTTP_PROBLEMS.values(), *ANSWERS.values())
} | {
    "not-your-tasks": "these are not your tasks",
    "too-many-requests": "too many requests",
    "body-too-large": "a body holds at most 65,536 bytes",
    "unsupported-media-type": "the body must be application/json, in UTF-8",
    "malformed-request": "the body is not JSON: it is empty",
    "invalid-request": "1 field is not valid",
    "precondition-required": "say with If-Match which version of the task is meant",
    "internal": "this is a defect of the service",
}
"""What is said of a problem, for example."""


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


REQUEST_ID = {
    "X-Request-Id": _header(
        "Names this request, in the service's log too.", "01932d0e5f0a7cc398f40b8e1c6f2a11"
    )
}
COUNTED = REQUEST_ID | {
    "RateLimit-Policy": _header(
        "How many requests (`q`) a user may send in a window of so many seconds (`w`); absent "
        "where the operator sets no limit.",
        '"user";q=600;w=60',
    ),
    "RateLimit": _header(
        "How many more the caller may send (`r`) within the next seconds (`t`).",
        '"user";r=599;t=42',
    ),
}
TAGGED = COUNTED | {"ETag": _header("The task's version, in quotes: a strong tag.", '"1"')}
LOCATED = TAGGED | {
    "Location": _header(
        "The new task's address.", "/api/tasks/ada/tasks/01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
    )
}
LINKED = COUNTED | {
    "Link": _header(
        "The next page (RFC 8288), relative to this one; absent on the last.",
        '<?cursor=WyIwMTkzMmQwZSJdF5Ag>; rel="next"',
    ),
    "X-Total-Count": _header("The number of all tasks asked for, with `count=exact`.", "42"),
    "Preference-Applied": _header("`count=exact`, where the tasks were counted.", "count=exact"),
}


def _request_header(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


REQUEST_HEADERS = {
    header["name"]: header
    for header in (
        _request_header(
            "If-Match",
            "The versions, as ETags, that the task may be at; `*` for any. At another version the "
            "answer is 412, and nothing changes.",
            '"1"',
        ),
        _request_header(
            "If-None-Match", "The ETags that the caller holds: the answer to these is 304.", '"1"'
        ),
        _request_header(
            "Idempotency-Key",
            "A name for this request, of the caller's making, such as a UUID: sent again with the "
            "same key within 24 hours, it is answered as the first time, and done only once.",
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
            minLength=1,
            maxLength=255,
            pattern=r"^[\x20-\x2b\x2d-\x7e]+$",
        ),
        _request_header(
            "Prefer", "`count=exact` asks for the number of all tasks (RFC 7240).", "count=exact"
        ),
    )
}


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

UNCOUNTED = {"not-found", "method-not-allowed", "unauthenticated", "not-your-tasks"}
"""Problems that are met before a request is counted."""

REPLAYED = {"Idempotency-Replayed": _header("`true` where this repeats an earlier answer.", "true")}
NOT_MODIFIED = COUNTED | {"ETag": _header("The task's version, unchanged.", '"1"')}


class FaultSchema(AnswerSchema):
    """One fault of a request: where it is, and what it is."""

    pointer = fields.String(metadata={"description": "A JSON pointer (RFC 6901) into the body."})
    parameter = fields.String(metadata={"description": "The name of a query parameter."})
    detail = fields.String(required=True, metadata={"description": "What is wrong."})


class ProblemSchema(AnswerSchema):
    """Problem details (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "description": "The kind of problem, stable; the address explains it. Kinds may be "
            "added: take one that you do not know by its `status`.",
            "x-extensible-enum": [f"/problems/{problem}" for problem in PROBLEM_TYPES],
        },
    )
    title = fields.String(required=True, metadata={"description": "The status in words."})
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = fields.String(required=True, metadata={"description": "What went wrong this time."})
    instance = fields.String(required=True, metadata={"description": "The path of the request."})
    request_id = fields.String(
        required=True, metadata={"description": "As in `X-Request-Id`. Quote it in a report."}
    )
    errors = fields.List(
        fields.Nested(FaultSchema), metadata={"description": "Every fault, up to 50."}
    )
    outcome = fields.String(
        metadata={
            "description": "Of a write that was cut short: whether it happened.",
            "enum": ["not_applied", "unknown"],
        }
    )
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Of a service that is not ready: each part that was looked at."},
    )


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
            self.spec.components.response(name, _problem_response(problem), lazy=True)


def _problem_response(problem: str) -> dict[str, Any]:
    kind = PROBLEM_TYPES[problem]
    met = [one for one in (SHARED_STATUS.get(problem), problem) if one]
    headers = dict(REQUEST_ID if problem in UNCOUNTED else COUNTED)
    if kind.status == 401:
        headers["WWW-Authenticate"] = _header("The scheme to use.", "Bearer")
    if kind.status in {409, 429, 503, 507}:
        headers["Retry-After"] = _header("Seconds to wait before the next try.", "1")
    return {
        "description": " Or: ".join(PROBLEM_TYPES[one].meaning for one in met),
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": ProblemSchema,
                "examples": {one: {"value": _example(one)} for one in met},
            }
        },
    }


def _example(problem: str) -> dict[str, Any]:
    kind = PROBLEM_TYPES[problem]
    example: dict[str, Any] = {
        "type": f"/problems/{problem}",
        "title": kind.title,
        "status": kind.status,
        "detail": EXAMPLE_DETAILS[problem],
        "instance": "/api/tasks/ada/tasks",
        "request_id": "01932d0e5f0a7cc398f40b8e1c6f2a11",
    }
    if problem == "invalid-request":
        example["errors"] = [{"pointer": "/title", "detail": "must not be blank"}]
    if problem in {"unavailable", "storage-full"}:
        example["outcome"] = "not_applied"
    return example


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
