"""The headers that every answer carries."""

from flask import Response, request

from taskservice.adapters.http.tracing import request_id


def add_standing_headers(response: Response) -> Response:
    """Add the request id to every answer; tell caches that an answer of the API is its caller's."""
    headers = response.headers
    headers.add("X-Request-Id", request_id())
    headers.add("X-Content-Type-Options", "nosniff")
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(response.allow))
    if request.path.startswith("/api/"):
        headers.add("Cache-Control", "private, no-cache")
        headers.add("Vary", "Authorization")
    return response
