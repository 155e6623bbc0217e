"""Problem responses in the OpenAPI document: the schema, and a response for each type."""

from typing import Any

from marshmallow import fields

from taskservice.adapters.http.openapi.headers import (
    RATE_LIMIT_HEADERS,
    REQUEST_ID_HEADER,
    UNSUPPORTED_MEDIA_TYPE_HEADERS,
    response_header,
)
from taskservice.adapters.http.protocol.problems import (
    MEDIA_TYPE,
    PROBLEM_BY_ERROR,
    PROBLEM_BY_STATUS,
    PROBLEM_TYPES,
)
from taskservice.adapters.http.protocol.request import BODY_LIMIT
from taskservice.adapters.http.protocol.strict_fields import ResponseSchema


def _response_name(problem: str) -> str:
    return "".join(word.capitalize() for word in problem.split("-"))


PROBLEM_RESPONSES = {
    problem: (problem_type.status, _response_name(problem))
    for problem, problem_type in PROBLEM_TYPES.items()
}

SHARED_STATUS = {
    "key-reused": "invalid-request",
    "list-not-empty": "key-in-use",
    "undo-conflict": "key-in-use",
}
"""For a problem, the other one with its status that every such operation can also return."""

EXAMPLE_DETAILS = {
    problem: detail
    for problem, detail, *_ in (*PROBLEM_BY_STATUS.values(), *PROBLEM_BY_ERROR.values())
} | {
    "not-your-tasks": "the user in the path is not the subject of the token",
    "too-many-requests": "too many requests",
    "body-too-large": f"the body is larger than {BODY_LIMIT:,} bytes",
    "unsupported-media-type": "Content-Type must be application/json",
    "malformed-request": "the body is not JSON: it is empty",
    "invalid-request": "1 field is not valid",
    "internal": "an internal error occurred",
}
"""The `detail` in the example of each problem."""

NOT_RATE_LIMITED = {"not-found", "method-not-allowed", "unauthenticated", "not-your-tasks"}
"""Problems that occur before the rate limit."""


class FaultSchema(ResponseSchema):
    """One validation error of a request."""

    pointer = fields.String(
        metadata={
            "description": "A JSON pointer (RFC 6901) into the body; of an undo, into the task; of "
            "a command without a field, to the command: `/commands/2`."
        }
    )
    parameter = fields.String(metadata={"description": "The name of a query parameter."})
    detail = fields.String(
        required=True, metadata={"description": "The reason why the value is not valid."}
    )


class ProblemSchema(ResponseSchema):
    """Problem details (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "description": "The problem type, which is stable. The path has an explanation. New "
            "types may be added: handle unknown ones by `status`.",
            "x-extensible-enum": [f"/problems/{problem}" for problem in PROBLEM_TYPES],
        },
    )
    title = fields.String(
        required=True, metadata={"description": "The reason phrase of the status."}
    )
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = fields.String(required=True, metadata={"description": "What went wrong, for people."})
    instance = fields.String(required=True, metadata={"description": "The path of the request."})
    request_id = fields.String(
        required=True, metadata={"description": "The `X-Request-Id`. Include it in a bug report."}
    )
    errors = fields.List(
        fields.Nested(FaultSchema), metadata={"description": "The validation errors, up to 50."}
    )
    outcome = fields.String(
        metadata={
            "description": "Whether a write was done, if it failed.",
            "enum": ["not_applied", "unknown"],
        }
    )
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "The readiness checks, if the service is not ready."},
    )


def problem_response(problem: str) -> dict[str, Any]:
    """Return the response for the status of `problem`, with all problems that share it."""
    problem_type = PROBLEM_TYPES[problem]
    problems = [one for one in (SHARED_STATUS.get(problem), problem) if one]
    headers = dict(REQUEST_ID_HEADER if problem in NOT_RATE_LIMITED else RATE_LIMIT_HEADERS)
    if problem_type.status == 401:
        headers["WWW-Authenticate"] = response_header("The authentication scheme.", "Bearer")
    if problem_type.status in {409, 429, 503, 507}:
        headers["Retry-After"] = response_header("Seconds to wait before a retry.", "1")
    if problem_type.status == 415:
        headers |= UNSUPPORTED_MEDIA_TYPE_HEADERS
    return {
        "description": " Or: ".join(PROBLEM_TYPES[one].description for one in problems),
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": ProblemSchema,
                "examples": {one: {"value": _example(one)} for one in problems},
            }
        },
    }


def _example(problem: str) -> dict[str, Any]:
    problem_type = PROBLEM_TYPES[problem]
    example: dict[str, Any] = {
        "type": f"/problems/{problem}",
        "title": problem_type.title,
        "status": problem_type.status,
        "detail": EXAMPLE_DETAILS[problem],
        "instance": "/api/tasks/ada/tasks",
        "request_id": "01932d0e5f0a7cc398f40b8e1c6f2a11",
    }
    if problem == "invalid-request":
        example["errors"] = [{"pointer": "/title", "detail": "must not be blank"}]
    if problem == "undo-conflict":
        example["errors"] = [{"pointer": "/title", "detail": "was changed again"}]
    if problem in {"unavailable", "storage-full"}:
        example["outcome"] = "not_applied"
    return example
