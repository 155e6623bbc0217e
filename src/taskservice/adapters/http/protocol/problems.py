"""Problem details: converts every error to a response (RFC 9457)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException

from taskservice.adapters.http.protocol.request import (
    BATCH_BODY_LIMIT,
    BODY_LIMIT,
    current_request,
)
from taskservice.core.errors import (
    CommandFailed,
    EntityInUse,
    EntityNotFound,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InvalidEntity,
    InvalidOption,
    ListNotEmpty,
    ListNotFound,
    Outcome,
    PreconditionRequired,
    StaleEntity,
    StorageFull,
    SyncExpired,
    TaskNotFound,
    TaskServiceError,
    Unauthenticated,
    Unavailable,
    UndoConflict,
)

MEDIA_TYPE = "application/problem+json"
ERRORS_LIMIT = 50
RETRY_AFTER_SECONDS = 1
RETRY_AFTER_HEADER = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class ProblemType(NamedTuple):
    """A problem type: its HTTP status, the reason phrase, and an explanation for readers."""

    status: int
    title: str
    description: str


PROBLEM_TYPES = {
    "not-found": ProblemType(404, "Not Found", "This path does not exist."),
    "method-not-allowed": ProblemType(
        405, "Method Not Allowed", "This path supports only the methods in `Allow`."
    ),
    "unauthenticated": ProblemType(
        401,
        "Unauthorized",
        "The request has no valid bearer token. Only the service's log contains the reason.",
    ),
    "not-your-tasks": ProblemType(
        403, "Forbidden", "The user in the path is not the subject of the token."
    ),
    "task-not-found": ProblemType(
        404, "Not Found", "The user has no task with this id. It may have been deleted."
    ),
    "list-not-found": ProblemType(
        404, "Not Found", "The user has no list with this id. It may have been deleted."
    ),
    "sync-expired": ProblemType(
        410,
        "Gone",
        "What has changed since `since` is no longer known. Start a first sync without it.",
    ),
    "list-not-empty": ProblemType(
        409,
        "Conflict",
        "The list has tasks, and nothing was deleted. `tasks=inbox` moves them to the inbox, "
        "`tasks=delete` deletes them too.",
    ),
    "undo-conflict": ProblemType(
        409,
        "Conflict",
        "The change cannot be undone, and nothing was changed. `errors` lists the fields of the "
        "task that were changed again or cannot have their former values, or `trashed_at` if the "
        "task is in the trash.",
    ),
    "too-many-requests": ProblemType(
        429,
        "Too Many Requests",
        "The user exceeded the rate limit in `RateLimit-Policy`, or the client address sent too "
        "many requests without a valid token. Nothing was done. Retry after `Retry-After` seconds.",
    ),
    "body-too-large": ProblemType(
        413,
        "Content Too Large",
        f"The body is larger than {BODY_LIMIT // 1024} KiB, or {BATCH_BODY_LIMIT // 1024} KiB for "
        "a batch. Or the response to a request with an `Idempotency-Key` is larger than 1 MiB, and "
        "nothing was done.",
    ),
    "unsupported-media-type": ProblemType(
        415,
        "Unsupported Media Type",
        "The body must be uncompressed JSON in UTF-8, with a `Content-Type`. `Accept` or "
        "`Accept-Encoding` in the response has the supported values.",
    ),
    "malformed-request": ProblemType(
        400,
        "Bad Request",
        "The body is not JSON, the cursor does not belong to this list, or a header is malformed.",
    ),
    "invalid-request": ProblemType(
        422,
        "Unprocessable Content",
        "Some values of the request are not valid. `errors` lists them.",
    ),
    "precondition-failed": ProblemType(
        412,
        "Precondition Failed",
        "`If-Match` or `If-None-Match` failed, for example because there is another version. "
        "Nothing was changed. Read it again, then decide whether to retry.",
    ),
    "precondition-required": ProblemType(
        428,
        "Precondition Required",
        "This service requires `If-Match` for updates, which prevents lost updates.",
    ),
    "key-in-use": ProblemType(
        409,
        "Conflict",
        "A request with the same `Idempotency-Key` is still running, or a newer version of the "
        "service has stored its response. Retry after `Retry-After` seconds.",
    ),
    "key-reused": ProblemType(
        422,
        "Unprocessable Content",
        "The `Idempotency-Key` was used for a request with another method, path, query or body.",
    ),
    "unavailable": ProblemType(
        503,
        "Service Unavailable",
        "The service cannot reach its database or the issuer's keys. Retry after `Retry-After` "
        "seconds. `outcome` says whether a write was done: `not_applied` or `unknown`.",
    ),
    "storage-full": ProblemType(
        507,
        "Insufficient Storage",
        "The database has no space for the write, and nothing was changed. Reads still work. "
        "Retry after `Retry-After` seconds.",
    ),
    "internal": ProblemType(
        500, "Internal Server Error", "A bug in the service. Report it with the request id."
    ),
}

PROBLEM_BY_STATUS = {
    400: ("malformed-request", "the request is malformed"),
    404: ("not-found", "this path does not exist"),
    405: ("method-not-allowed", "this path does not support this method"),
}


PROBLEM_BY_ERROR: dict[type, tuple[str, str, dict[str, str]]] = {
    EntityNotFound: ("not-found", "this path does not exist", {}),
    ListNotFound: ("list-not-found", "the list does not exist", {}),
    TaskNotFound: ("task-not-found", "the task does not exist", {}),
    EntityInUse: ("unavailable", "other data was added meanwhile", RETRY_AFTER_HEADER),
    ListNotEmpty: (
        "list-not-empty",
        "the list has tasks: set tasks=inbox or tasks=delete",
        {},
    ),
    StaleEntity: (
        "precondition-failed",
        "If-Match or If-None-Match failed for the current version",
        {},
    ),
    PreconditionRequired: ("precondition-required", "If-Match is required", {}),
    SyncExpired: (
        "sync-expired",
        "what has changed since then is no longer known: start a first sync without `since`",
        {},
    ),
    UndoConflict: ("undo-conflict", "the change cannot be undone: see `errors`", {}),
    IdempotencyKeyReused: ("key-reused", "the idempotency key was used for another request", {}),
    IdempotencyKeyInUse: (
        "key-in-use",
        "a request with this idempotency key is still running",
        RETRY_AFTER_HEADER,
    ),
    Unauthenticated: (
        "unauthenticated",
        "a valid bearer token is required",
        {"WWW-Authenticate": "Bearer"},
    ),
    StorageFull: ("storage-full", "the database has no space for writes", RETRY_AFTER_HEADER),
    Unavailable: ("unavailable", "the service is temporarily unavailable", RETRY_AFTER_HEADER),
}
"""Problem type, detail and headers for each error of the core."""

LOGGED_ERRORS = {Unauthenticated, StorageFull, Unavailable}
"""Errors whose reason is logged, and kept from the client."""


class ProblemError(Exception):
    """A request that the HTTP adapter rejects.

    `problem` is a key of `PROBLEM_TYPES`. Each of `errors` has a `detail`, and a
    `pointer` (RFC 6901) or a `parameter`. `headers` are added to the response.
    `outcome` is that of a write.
    """

    def __init__(
        self,
        problem: str,
        detail: str,
        errors: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers
        self.outcome = outcome

    @property
    def body(self) -> dict[str, Any]:
        """The problem details."""
        return _body(self.problem, self.detail, errors=self.errors, outcome=self.outcome)


def problem_response(
    problem: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """Return the response for `problem`, with those of `members` that are not empty."""
    current_request().log_context["problem"] = problem
    content = orjson.dumps(_body(problem, detail, **members))
    return Response(content, PROBLEM_TYPES[problem].status, headers, content_type=MEDIA_TYPE)


def _body(problem: str, detail: str, **members: Any) -> dict[str, Any]:
    request, problem_type = current_request(), PROBLEM_TYPES[problem]
    return {
        "type": f"/problems/{problem}",
        "title": problem_type.title,
        "status": problem_type.status,
        "detail": detail,
        "instance": request.encoded_path,
        "request_id": request.request_id,
        **{name: value for name, value in members.items() if value},
    }


def invalid_request(errors: list[dict[str, str]]) -> ProblemError:
    """Return the 422 with the first 50 of `errors`."""
    fields = "1 field is" if len(errors) == 1 else f"{len(errors)} fields are"
    return ProblemError("invalid-request", f"{fields} not valid", errors[:ERRORS_LIMIT])


def on_problem_error(error: ProblemError) -> Response:
    """Return the response to a `ProblemError`."""
    return problem_response(
        error.problem, error.detail, error.headers, errors=error.errors, outcome=error.outcome
    )


def on_service_error(error: TaskServiceError) -> Response:
    """Return the response to an error of the core."""
    found = problem_of(error)
    if _base(error) in LOGGED_ERRORS:
        request = current_request()
        request.log_context["reason"] = str(error)
        request.outcome = found.outcome
    return on_problem_error(found)


def problem_of(error: TaskServiceError, at: str = "") -> ProblemError:
    """Return an error of the core as a problem, of the part of the body `at` a JSON pointer."""
    if isinstance(error, CommandFailed):
        return problem_of(error.error, f"/commands/{error.index}")
    if isinstance(error, InvalidEntity):
        return invalid_request([*_faults(error, at)])
    problem, detail, headers = PROBLEM_BY_ERROR[_base(error)]
    errors = [{"pointer": at, "detail": detail}] if at else []
    if isinstance(error, UndoConflict):
        errors = [*_faults(error, at)]
    return ProblemError(problem, detail, errors, headers, getattr(error, "outcome", None))


def _base(error: TaskServiceError) -> type:
    """Return the class of an error, or the one above it, that has a problem."""
    return next((base for base in type(error).__mro__ if base in PROBLEM_BY_ERROR), type(error))


def _faults(error: InvalidEntity | UndoConflict, at: str) -> Iterator[dict[str, str]]:
    """Yield the place of each error, in the body or task, or among the query parameters."""
    is_parameter = isinstance(error, InvalidOption) and not at
    for name, detail in error.errors:
        place = {"parameter": name} if is_parameter else {"pointer": f"{at}/{name}"}
        yield {**place, "detail": detail}


def on_unexpected_error(error: Exception) -> Response:
    """Return the 500. The log has the traceback, the response only the request id."""
    current_request().unexpected_error = error
    return problem_response("internal", "an internal error occurred")


def on_http_exception(error: HTTPException) -> Response:
    """Return the response to an error of the framework, with its headers, such as `Allow`."""
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    problem, detail = PROBLEM_BY_STATUS.get(
        error.code or 500, ("internal", "an internal error occurred")
    )
    return problem_response(problem, detail, headers)
