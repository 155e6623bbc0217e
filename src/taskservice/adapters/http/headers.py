"""The headers that every answer carries."""

from flask import Response, request

from taskservice.adapters.http.tracing import request_id


def add_standing_headers(response: Response) -> Response:
    """Add the request id to every answer; tell caches that an answer of the API is its caller's."""
    response.headers["X-Request-Id"] = request_id()
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.allow:
        response.headers["Allow"] = ", ".join(sorted(response.allow))
    if request.path.startswith("/api/"):
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.add("Authorization")
    return response
