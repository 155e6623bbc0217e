"""What pages of other origins send: refusals that they may read, and preflights.

Where the service lets `https://app.example` in, an answer to it says so; to others, and where
nobody is let in, none does. What is answered else is the same: see `runner.check_page`.
"""

from tests.hostile.access import BOBS_LIST
from tests.hostile.case import accepted, invalid, refused
from tests.hostile.messages import LIST, MISSING, OWN, TASK, delete, get, message, patch, post, put

PAGE = "Origin: https://app.example"


def preflight(target: str, method: str, origin: str, *more: str) -> bytes:
    """Ask as a browser does before it sends anything: without a token (Fetch, section 4.8)."""
    asked = f"Access-Control-Request-Method: {method}"
    return message("OPTIONS", target, f"Origin: {origin}", asked, *more, token=None)


CASES = [
    *refused(8, 401, "unauthenticated", {"a page without a token": get(LIST, PAGE, token=None)}),
    *refused(8, 403, "not-your-tasks", {"a page at another's list": get(BOBS_LIST, PAGE)}),
    *refused(
        8,
        404,
        "task-not-found",
        {
            "a page at a task that is not there": get(MISSING, PAGE),
            "a page that deletes a task that is not there": delete(PAGE, target=MISSING),
        },
    ),
    *refused(8, 404, "not-found", {"a page at a path that is none": get("/api/none", PAGE)}),
    *refused(8, 405, "method-not-allowed", {"a page with a method": message("DELETE", LIST, PAGE)}),
    *refused(8, 412, "precondition-failed", {"a page too late": put(TASK, PAGE, 'If-Match: "9"')}),
    *refused(8, 400, "malformed-request", {"a page with half a body": post(b'{"title": ', PAGE)}),
    *refused(
        8,
        415,
        "unsupported-media-type",
        {"a page with a form": post(b"title=x", PAGE, media="application/x-www-form-urlencoded")},
    ),
    *refused(8, 413, "body-too-large", {"a page with much": post(b"x" * 196_609, PAGE)}),
    *invalid(8, "/title", {"a page with no title": patch(b'{"title": ""}', PAGE)}),
    *accepted(
        8,
        200,
        {
            "a page at a task": get(OWN, PAGE),
            "a page in another case": get(OWN, "Origin: HTTPS://APP.EXAMPLE"),
            "a page at another port": get(OWN, f"{PAGE}:8443"),
            "a page below the origin": get(OWN, f"{PAGE}.evil.example"),
            "a page that says two origins": get(OWN, f"{PAGE}, https://evil.example"),
        },
    ),
    *accepted(8, 201, {"a page that creates": post(TASK, PAGE)}),
    *accepted(
        9,
        204,
        {
            "a preflight of a page": preflight(LIST, "POST", "https://app.example"),
            "a preflight of a page at another's list": preflight(
                BOBS_LIST, "DELETE", "https://app.example"
            ),
            "a preflight with headers": preflight(
                OWN,
                "PATCH",
                "https://app.example",
                "Access-Control-Request-Headers: authorization, x-evil, ,",
            ),
            "a preflight of a page that is traced": preflight(
                OWN,
                "PUT",
                "https://app.example",
                "Access-Control-Request-Headers: baggage,sentry-trace,traceparent,tracestate",
            ),
            "a preflight for a method that is none": preflight(OWN, "X-Y", "https://app.example"),
            "a preflight from nowhere": preflight(OWN, "PUT", "null"),
        },
    ),
]
