"""The problems, as the OpenAPI document tells of them: their shape, a response for each kind."""

from typing import Any

from marshmallow import fields

from taskservice.adapters.http.openapi.headers import COUNTED, REQUEST_ID, UNSUPPORTED, header
from taskservice.adapters.http.protocol.fields import AnswerSchema
from taskservice.adapters.http.protocol.problems import (
    ANSWERS,
    HTTP_PROBLEMS,
    MEDIA_TYPE,
    PROBLEM_TYPES,
)
from taskservice.adapters.http.protocol.request import BODY_LIMIT


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
    "body-too-large": f"a body holds at most {BODY_LIMIT:,} bytes",
    "unsupported-media-type": "Content-Type must be application/json",
    "malformed-request": "the body is not JSON: it is empty",
    "invalid-request": "1 field is not valid",
    "precondition-required": "say with If-Match which version of the task is meant",
    "internal": "this is a defect of the service",
}
"""What is said of a problem, for example."""

UNCOUNTED = {"not-found", "method-not-allowed", "unauthenticated", "not-your-tasks"}
"""Problems that are met before a request is counted."""


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


def problem_response(problem: str) -> dict[str, Any]:
    """Return the response that is `problem`, or another of its status that may come instead."""
    kind = PROBLEM_TYPES[problem]
    met = [one for one in (SHARED_STATUS.get(problem), problem) if one]
    headers = dict(REQUEST_ID if problem in UNCOUNTED else COUNTED)
    if kind.status == 401:
        headers["WWW-Authenticate"] = header("The scheme to use.", "Bearer")
    if kind.status in {409, 429, 503, 507}:
        headers["Retry-After"] = header("Seconds to wait before the next try.", "1")
    if kind.status == 415:
        headers |= UNSUPPORTED
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
