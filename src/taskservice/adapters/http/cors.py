"""CORS: allowed origins and headers, preflight responses (Fetch standard)."""

import re
from collections.abc import Collection

from flask import Flask, Response
from flask_cors import CORS

EXPOSED_HEADERS = [
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
    "X-Total-Count",
    "Preference-Applied",
    "Idempotency-Replayed",
]
ALLOWED_HEADERS = [
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Prefer",
    "X-Request-Id",
    # Added by tracing and HTTP libraries in the browser; the service ignores them.
    "baggage",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "X-Requested-With",
]
PREFLIGHT_MAX_AGE_SECONDS = 600


def enable_cors(app: Flask, origins: Collection[str], headers: Collection[str] = ()) -> None:
    """Enable CORS for `origins` on every response; do nothing without origins.

    Origins are compared byte for byte (RFC 6454, section 5). `headers` are allowed
    request headers beside `ALLOWED_HEADERS`.
    """
    if not origins:
        return
    # Registered first, so that it runs last. Every response depends on the origin.
    app.after_request(_add_vary_origin)
    CORS(
        app,
        origins=[_exact(origin) for origin in origins],
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[_exact(name, re.IGNORECASE) for name in (*ALLOWED_HEADERS, *headers)],
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_MAX_AGE_SECONDS,
        always_send=False,
        vary_header=False,
        intercept_exceptions=False,
    )


def _exact(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that matches `text` only, as flask-cors treats special characters as one."""
    return re.compile(rf"{re.escape(text)}\Z", flags)


def _add_vary_origin(response: Response) -> Response:
    response.vary.add("Origin")
    return response
