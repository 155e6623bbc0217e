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
]
PREFLIGHT_SECONDS = 600


def let_in(app: Flask, origins: Collection[str]) -> None:
    """Let pages of `origins` call `app`, and read every answer; without any, change nothing."""
    if not origins:
        return
    # Registered first, so that it runs last: every answer depends on who asks.
    app.after_request(_vary)
    CORS(
        app,
        origins=[_only(origin) for origin in origins],
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=TAKEN,
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_SECONDS,
        always_send=False,
        vary_header=False,
        intercept_exceptions=False,
    )


def _only(origin: str) -> re.Pattern[str]:
    """Return the pattern of `origin`; the library takes a text with brackets for one of its own."""
    return re.compile(rf"{re.escape(origin)}\Z")


def _vary(response: Response) -> Response:
    response.vary.add("Origin")
    return response
