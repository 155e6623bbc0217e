"""Renamed labels, and lists that are deleted in steps: values, limits and other users."""

import json
from collections.abc import Mapping

from tests.hostile import bodies
from tests.hostile.batches import NO_STRINGS, refused_bodies, shown
from tests.hostile.case import Case, accepted, invalid, refused
from tests.hostile.messages import (
    FOREIGN_LIST,
    JSON,
    MERGE_PATCH,
    MISSING_LIST,
    OWN,
    OWN_LIST,
    delete,
    message,
    patch,
)

LABELS = "/api/tasks/ada/labels"
RENAME: dict[str, object] = {"label": "home", "new": "house"}

NO_LABELS: tuple[object, ...] = (
    *(*NO_STRINGS, "", " ", " a", "a ", "a\u00a0", "a,b", ",", "a\0", "a\nb", "a\tb", "a\u2028b"),
    *("\ud800", "\x7f", "x" * 101, "x" * 10_000),
)
NO_LIMITS: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1001, 2**31, 2**63 - 1, 0.5, 1e300, "1", "", [], [1], {}),
)
NO_LIMIT_PARAMETERS = (
    *("", "0", "-1", "1001", "1.0", "1e2", "0x1", "one", "true", "null", "%2B1", "1%20", "%201"),
    *("1%00", "1%0A", "%EF%BC%91", "%D9%A1", "%FF", "9" * 20, "9" * 5000, "1&limit=1", "1,2"),
)


def rename(
    members: Mapping[str, object] = RENAME,
    *lines: str,
    target: str = LABELS,
    media: str = JSON,
) -> bytes:
    """Return a renaming of a label."""
    return patch(json.dumps({**RENAME, **members}).encode(), *lines, target=target, media=media)


def in_steps(query: str, *lines: str, target: str = OWN_LIST) -> bytes:
    """Return a deletion of a list."""
    return delete(*lines, target=f"{target}?{query}")


CASES: list[Case] = [
    *refused_bodies("a renaming", "PATCH", LABELS),
    *(
        case
        for member in RENAME
        for case in invalid(
            24,
            f"/{member}",
            {
                f"a renaming with {member} {shown(value)}": rename({member: value})
                for value in NO_LABELS
            },
        )
    ),
    *invalid(
        24,
        "/limit",
        {f"a renaming with limit {shown(value)}": rename({"limit": value}) for value in NO_LIMITS},
    ),
    *invalid(
        22, ("/label", "/new"), {"a renaming of nothing": patch(b"{}", target=LABELS, media=JSON)}
    ),
    *(
        case
        for member in ("user_id", "owner", "old", "more", "open", "Label", "_schema")
        for case in invalid(4, f"/{member}", {f"a renaming with {member}": rename({member: "a"})})
    ),
    *invalid(4, "/?", {"a renaming with a lone surrogate": rename({"\ud800": 1})}),
    *invalid(23, "?limit", {"a renaming with a parameter": rename(target=f"{LABELS}?limit=1")}),
    *refused(
        22,
        415,
        "unsupported-media-type",
        {"a renaming as a merge patch": rename(media=MERGE_PATCH)},
    ),
    *refused(
        22,
        413,
        "body-too-large",
        {
            "a renaming over 192 KiB": patch(b" " * (bodies.LIMIT + 1), target=LABELS, media=JSON),
            "a renaming over 192 KiB under a key": patch(
                b" " * (bodies.LIMIT + 1),
                "Idempotency-Key: large-renaming",
                target=LABELS,
                media=JSON,
            ),
        },
    ),
    *refused(
        1,
        401,
        "unauthenticated",
        {"a renaming without a token": message("PATCH", LABELS, token=None)},
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            "another user's label": rename(target="/api/tasks/bob/labels"),
            "another user's label, and a body that is no JSON": patch(
                b"{", target="/api/tasks/bob/labels", media=JSON
            ),
            "another user's list in steps": in_steps(
                "tasks=delete&limit=1", target="/api/tasks/bob/lists/{foreign list}"
            ),
        },
    ),
    *accepted(
        24,
        200,
        {
            "a renaming of a label that no task has": rename(),
            "a renaming to itself": rename({"new": "home"}),
            "a renaming to another case": rename({"new": "HOME"}),
            "a renaming at the least limit": rename({"limit": 1}),
            "a renaming at the greatest limit": rename({"limit": 1000}),
            "a renaming at a limit with a fraction of zero": rename({"limit": 2.0}),
            "a renaming of 100 letters": rename({"label": "x" * 100, "new": "\U0001f600" * 100}),
            "a renaming of what looks like SQL": rename({"label": "' OR 1=1 --", "new": "%_\\"}),
            "a renaming of letters that grow when folded": rename(
                {"label": "ß" * 100, "new": "ss" * 50}
            ),
            "a renaming under a key": rename(RENAME, "Idempotency-Key: hostile-renaming"),
            "a renaming at any tag": rename(RENAME, "If-Match: *"),
            "a renaming from an origin that may be let in": rename(
                RENAME, "Origin: https://app.example"
            ),
        },
    ),
    *refused(
        26,
        412,
        "precondition-failed",
        {
            "a renaming at a tag": rename(RENAME, 'If-Match: "1"'),
            "a renaming but for anything": rename(RENAME, "If-None-Match: *"),
            "a list in steps at another version": in_steps("tasks=delete&limit=1", 'If-Match: "2"'),
            "a list in steps but for its version": in_steps(
                "tasks=inbox&limit=1", 'If-None-Match: "1"'
            ),
        },
    ),
    *refused(
        26,
        400,
        "malformed-request",
        {"a renaming under two keys": rename(RENAME, "Idempotency-Key: a,b")},
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {
            f"{method} of the labels": message(method, LABELS, body=b"{}")
            for method in ("POST", "PUT", "DELETE", "QUERY")
        },
    ),
    *refused(
        7,
        404,
        "not-found",
        {
            "a renaming in the path": rename(target=f"{LABELS}/home"),
            "a renaming with a slash behind": rename(target=f"{LABELS}/"),
        },
    ),
    *invalid(
        23,
        "?limit",
        {
            **{
                f"a list in steps of {value[:30]!r}, {len(value)} letters": in_steps(
                    f"tasks=inbox&limit={value}"
                )
                for value in NO_LIMIT_PARAMETERS
            },
            "a limit of a deletion without an option": in_steps("limit=1"),
            "a bad limit of a deletion without an option": in_steps("limit=0"),
            "a limit of a deletion of a task": delete(target=f"{OWN}?subtasks=delete&limit=1"),
            "a limit of another user's list without an option": in_steps(
                "limit=1", target=FOREIGN_LIST
            ),
        },
    ),
    *invalid(23, ("?tasks", "?limit"), {"a list in steps of nothing": in_steps("tasks=&limit=")}),
    *refused(
        3,
        404,
        "list-not-found",
        {
            "another user's list by its id in steps": in_steps(
                "tasks=delete&limit=1", target=FOREIGN_LIST
            ),
            "no list in steps": in_steps("tasks=inbox&limit=1000", target=MISSING_LIST),
            "another user's list in steps at its version": in_steps(
                "tasks=delete&limit=1", 'If-Match: "1"', target=FOREIGN_LIST
            ),
        },
    ),
    *accepted(
        23,
        200,
        {
            "a list in steps of 1": in_steps("tasks=inbox&limit=1"),
            "a list in steps of 1,000": in_steps("tasks=delete&limit=1000"),
            "a list in steps of 1 with zeros before": in_steps("tasks=delete&limit=0001"),
            "a list in steps at its version": in_steps("limit=1&tasks=inbox", 'If-Match: "1"'),
            "a list in steps under a key": in_steps(
                "tasks=inbox&limit=1", "Idempotency-Key: hostile-step"
            ),
        },
    ),
]
