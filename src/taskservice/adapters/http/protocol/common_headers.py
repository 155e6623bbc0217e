"""The headers that every answer carries."""

from flask import Response

from taskservice.adapters.http.protocol.request import exchange


def add_common_headers(response: Response) -> Response:
    """Add the request id to every answer; tell caches that an answer of the API is its caller's."""
    asked, headers = exchange(), response.headers
    headers.add("X-Request-Id", asked.request_id)
    headers.add("X-Content-Type-Options", "nosniff")
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(response.allow))
    if asked.path.startswith("/api/"):
        headers.add("Cache-Control", "private, no-cache")
        headers.add("Vary", "Authorization")
    return response
