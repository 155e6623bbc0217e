"""Request and response headers in the OpenAPI document."""

from typing import Any


def response_header(description: str, example: str) -> dict[str, Any]:
    """Return the header object of a response header."""
    return {"description": description, "schema": {"type": "string"}, "example": example}


REQUEST_ID_HEADER = {
    "X-Request-Id": response_header(
        "Names this request, in the service's log too.", "01932d0e5f0a7cc398f40b8e1c6f2a11"
    )
}
RATE_LIMIT_HEADERS = REQUEST_ID_HEADER | {
    "RateLimit-Policy": response_header(
        "How many requests (`q`) a user may send in a window of so many seconds (`w`); absent "
        "where the operator sets no limit.",
        '"user";q=600;w=60',
    ),
    "RateLimit": response_header(
        "How many more the caller may send (`r`) within the next seconds (`t`).",
        '"user";r=599;t=42',
    ),
}
TASK_HEADERS = RATE_LIMIT_HEADERS | {
    "ETag": response_header("The task's version, in quotes: a strong tag.", '"1"')
}
CREATED_HEADERS = TASK_HEADERS | {
    "Location": response_header(
        "The new task's address.", "/api/tasks/ada/tasks/01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
    )
}
LIST_HEADERS = RATE_LIMIT_HEADERS | {
    "Link": response_header(
        "The next page (RFC 8288), relative to this one; absent on the last.",
        '<?cursor=WyIwMTkzMmQwZSJdF5Ag>; rel="next"',
    ),
    "X-Total-Count": response_header(
        "The number of all tasks asked for, with `count=exact`.", "42"
    ),
    "Preference-Applied": response_header(
        "`count=exact`, where the tasks were counted.", "count=exact"
    ),
}


def _header_parameter(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


REQUEST_HEADERS = {
    parameter["name"]: parameter
    for parameter in (
        _header_parameter(
            "If-Match",
            "The versions, as ETags, that the task may be at; `*` for any. At another version the "
            "answer is 412, and nothing changes. (`If-None-Match` names those it may not be at.)",
            '"1"',
        ),
        _header_parameter(
            "If-None-Match", "The ETags that the caller holds: the answer to these is 304.", '"1"'
        ),
        _header_parameter(
            "Idempotency-Key",
            "A name for this request, of the caller's making, such as a UUID: sent again with the "
            "same key within 24 hours, it is answered as the first time, and done only once.",
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
            minLength=1,
            maxLength=255,
            pattern=r"^[\x20-\x2b\x2d-\x7e]+$",
        ),
        _header_parameter(
            "Prefer", "`count=exact` asks for the number of all tasks (RFC 7240).", "count=exact"
        ),
    )
}

REPLAYED_HEADER = {
    "Idempotency-Replayed": response_header("`true` where this repeats an earlier answer.", "true")
}
NOT_MODIFIED_HEADERS = RATE_LIMIT_HEADERS | {
    "ETag": response_header("The task's version, unchanged.", '"1"')
}
UNSUPPORTED_MEDIA_TYPE_HEADERS = {
    "Accept": response_header(
        "The media types that are taken, where it is that.", "application/json"
    ),
    "Accept-Patch": response_header(
        "The same, of a PATCH (RFC 5789).", "application/merge-patch+json, application/json"
    ),
    "Accept-Encoding": response_header("`identity`, where the body is compressed.", "identity"),
}
