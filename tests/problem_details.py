"""What a problem must look like."""

from typing import Any

from werkzeug.test import TestResponse


def problem(response: TestResponse, status: int, kind: str) -> dict[str, Any]:
    """Assert that `response` is the problem `kind` with `status`, whole, and return its body."""
    body: dict[str, Any] = (response.json if response.is_json else None) or {}
    assert (response.status_code, body.get("type")) == (status, f"/problems/{kind}"), response.text
    assert response.content_type == "application/problem+json"
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert {"title", "detail", "instance"} <= body.keys()
    assert isinstance(body["detail"], str)
    return body


def faults(response: TestResponse) -> dict[str, str]:
    """Return the faults of a 422 as place → detail."""
    errors = problem(response, 422, "invalid-request")["errors"]
    return {
        error["pointer"] if "pointer" in error else f"?{error['parameter']}": error["detail"]
        for error in errors
    }
