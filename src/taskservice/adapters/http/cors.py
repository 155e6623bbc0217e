"""Pages of other origins (CORS, the Fetch standard): who may call, and what they may read."""

import re
from collections.abc import Collection

from flask import Flask, Response
from flask_cors import CORS

EXPOSED = [
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
TAKEN = [
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Prefer",
    "X-Request-Id",
    # What tracers and HTTP libraries of pages add to every request, and nothing here reads.
    "baggage",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "X-Requested-With",
]
PREFLIGHT_SECONDS = 600


def enable_cors(app: Flask, origins: Collection[str], headers: Collection[str] = ()) -> None:
    """Let pages of `origins` call `app`, and read every answer; without any, change nothing.

    An origin is compared as it stands (RFC 6454, section 5). Requests may have
    those of `headers` beside the headers that are let in anyway.
    """
    if not origins:
        return
    # Registered first, so that it runs last: every answer depends on who asks.
    app.after_request(_vary)
    CORS(
        app,
        origins=[_only(origin) for origin in origins],
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[_only(name, re.IGNORECASE) for name in (*TAKEN, *headers)],
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_SECONDS,
        always_send=False,
        vary_header=False,
        intercept_exceptions=False,
    )


def _only(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return the pattern of `text` alone; the library takes one with signs for a pattern itself."""
    return re.compile(rf"{re.escape(text)}\Z", flags)


def _vary(response: Response) -> Response:
    response.vary.add("Origin")
    return response
