"""The trash, histories, undo and the summary: other users' ids, bodies, conditions and cursors."""

import json
import re
from collections.abc import Callable, Iterator

from tests.hostile import bodies, conditions, queries, tokens
from tests.hostile.case import Case, accepted, by_server, invalid, refused
from tests.hostile.messages import (
    COMPLETE,
    FOREIGN,
    FOREIGN_TRASHED,
    HISTORY,
    LIST,
    MERGE_PATCH,
    MISSING,
    OWN,
    POSITION,
    RESTORE,
    SUMMARY,
    TRASH,
    TRASHED,
    UNDO,
    chunked,
    complete,
    delete,
    get,
    message,
    move,
    patch,
    post,
    put,
    restore,
    undo,
)

MISSING_TRASHED = f"{TRASH}/{{missing}}"
TRASHED_TASK = f"{LIST}/{{trashed}}"
BOB = "/api/tasks/bob"
THEIRS = f"{BOB}/trash/{{foreign trashed}}"
OWN_HISTORY = OWN + HISTORY
REMOVAL = b'{"sequence": {sequence of the removal}}'
LARGE = b" " * (bodies.LIMIT + 1)

OPERATIONS = {
    "the trash": ("GET", TRASH),
    "a task in the trash": ("GET", TRASHED),
    "a restoration": ("POST", TRASHED + RESTORE),
    "a purge": ("DELETE", TRASHED),
    "a purge of all": ("DELETE", TRASH),
    "a history": ("GET", OWN_HISTORY),
    "an undo": ("POST", OWN + UNDO),
    "a summary": ("GET", SUMMARY),
}
OF_BOB = {
    name: (method, target.replace("/ada/", "/bob/").replace("{", "{foreign ").replace(" own", ""))
    for name, (method, target) in OPERATIONS.items()
}

ON_TRASHED: dict[str, Callable[[str], bytes]] = {
    "a read": get,
    "a look": lambda target: message("HEAD", target),
    "a restoration": lambda target: restore(target=target + RESTORE),
    "a purge": lambda target: delete(target=target),
}
"""Requests about a task in the trash, by its path."""
ON_CHANGES: dict[str, Callable[[str], bytes]] = {
    "a history": lambda target: get(target + HISTORY),
    "an undo": lambda target: undo(target=target + UNDO),
}
"""Requests about the changes of a task, by its path."""

NO_NUMBERS: dict[str, str] = {
    "0": "0",
    "minus 1": "-1",
    "2^53": f"{2**53}",
    "2^63 - 1": f"{2**63 - 1}",
    "a half": "0.5",
    "a number with a fraction of another": "1.5",
    "an exponent without a whole number": "1e-1",
    "a number in quotes": '"1"',
    "an empty text": '""',
    "true": "true",
    "null": "null",
    "a list": "[1]",
    "an object": '{"sequence": 1}',
    "a cursor": '"{history cursor}"',
    "an id": '"{own}"',
    "SQL": '"1 OR 1=1"',
    "full-width digits": '"\\uff11"',
}
NO_CHANGES = {
    "a number that is none yet": b'{"sequence": 9007199254740991}',
    "a change of another task": REMOVAL,
}
NO_CURSORS = {
    "of another history": "{trashed history cursor}",
    "of another user's history": "{history cursor of bob}",
    "of the tasks": "{cursor}",
    "of the trash": "{trash cursor}",
    "that is a number": "815",
    "of one letter": "x",
    "with a letter more": "{history cursor}A",
    "with padding": "{history cursor}==",
    "with a space behind": "{history cursor}%20",
    "with NUL behind": "{history cursor}%00",
    "twice in a row": "{history cursor}{history cursor}",
    "of as many letters": "A" * 32,
    "of 5,000 letters": "A" * 5000,
    "that is no ASCII": "%C3%A4",
    "that is no UTF-8": "%FF",
    "that is a surrogate": "%ED%A0%80",
    "of full-width letters": "%EF%BC%A1" * 32,
    "that is an id": "{own}",
    "that is SQL": "'%20OR%20seq%3E0--",
}

is_about_limit = re.compile(rb"GET /api/tasks/ada/tasks\?(limit|%6Cimit)(?!.*(cursor|completed))")
is_creation = re.compile(rb"POST /api/tasks/ada/tasks ").match
is_read = re.compile(rb"GET /api/tasks/ada/tasks ").match


def moved(case: Case, name: str, method: str, target: str) -> Case:
    """Return an entry about the list of tasks, asked of another operation."""
    rest = case.request.partition(b" /api/tasks/ada/tasks")[2]
    request = f"{method} {target}".encode() + rest
    return case._replace(name=f"{case.name}, of {name}", request=request)


def derived() -> Iterator[Case]:
    """Yield the bodies of creations that are refused, of an undo, and so on for tokens."""
    for case in bodies.CASES:
        if is_creation(case.request) and case.status in {400, 413, 415} and not case.by_server:
            yield moved(case, "an undo", "POST", OWN + UNDO)
    for case in tokens.CASES:
        if is_read(case.request) and case.status == 401:
            yield moved(case, "a restoration", "POST", TRASHED + RESTORE)
    for name in ("the trash", "a history"):
        for case in queries.CASES:
            if is_about_limit.match(case.request):
                yield moved(case, name, *OPERATIONS[name])


CASES = [
    *derived(),
    *refused(
        1,
        401,
        "unauthenticated",
        {
            f"{name} without a token": message(method, target, token=None)
            for name, (method, target) in OPERATIONS.items()
        },
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            f"{name} of another user": message(method, target)
            for name, (method, target) in OF_BOB.items()
        },
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            "the own task in another user's trash": restore(
                target=f"{BOB}/trash/{{trashed}}/restore"
            ),
            "another user's undo, and a body that is no JSON": undo(
                b"{", target=f"{BOB}/tasks/{{foreign}}/undo"
            ),
            "a look at another user's trash": message("HEAD", f"{BOB}/trash"),
        },
    ),
    *refused(
        3,
        404,
        "task-not-found",
        {
            **{
                f"{what} {name}": request(target)
                for name, target in {
                    "in another user's trash": FOREIGN_TRASHED,
                    "that is no task": MISSING_TRASHED,
                    "that is not in the trash": f"{TRASH}/{{own}}",
                    "that another user has not deleted": f"{TRASH}/{{foreign}}",
                }.items()
                for what, request in ON_TRASHED.items()
            },
            **{
                f"{what} {name}": request(target)
                for name, target in {
                    "of another user's task": FOREIGN,
                    "of another user's task in the trash": f"{LIST}/{{foreign trashed}}",
                    "of no task": MISSING,
                }.items()
                for what, request in ON_CHANGES.items()
            },
            "another user's task restored under a key": restore(
                "Idempotency-Key: hostile-foreign-restore", target=FOREIGN_TRASHED + RESTORE
            ),
            "another user's change undone under a key": undo(
                b'{"sequence": 1}', "Idempotency-Key: hostile-foreign-undo", target=FOREIGN + UNDO
            ),
            "a task in the trash read as a task": get(TRASHED_TASK),
            "a task in the trash updated": put(target=TRASHED_TASK),
            "a task in the trash patched": patch(target=TRASHED_TASK),
            "a task in the trash completed": complete(target=TRASHED_TASK + COMPLETE),
            "a task in the trash moved": move(b'{"place": "last"}', target=TRASHED_TASK + POSITION),
            "a task in the trash deleted": delete(target=TRASHED_TASK),
            "a task in the trash deleted with sub-tasks": delete(
                target=f"{TRASHED_TASK}?subtasks=delete"
            ),
        },
    ),
    *invalid(
        3,
        "/parent_id",
        {
            "a sub-task of a task in the trash": post(b'{"title": "x", "parent_id": "{trashed}"}'),
            "a patch to be under a task in the trash": patch(b'{"parent_id": "{trashed}"}'),
        },
    ),
    *invalid(3, "/after", {"a move behind a task in the trash": move(b'{"after": "{trashed}"}')}),
    *(
        case
        for member, value in {
            "user_id": "bob",
            "id": "{own}",
            "version": 1,
            "title": "x",
            "previous": {"title": "x"},
            "trashed_at": None,
            "Sequence": 1,
            "sequence ": 1,
            "__proto__": {"sequence": 1},
        }.items()
        for case in invalid(
            4,
            f"/{member}",
            {
                f"an undo with {member!r}": undo(
                    b'{"sequence": {sequence}, %s}' % json.dumps({member: value})[1:-1].encode()
                )
            },
        )
    ),
    *invalid(
        4, "/trashed_at", {"a creation in the trash": post(b'{"title":"x","trashed_at":null}')}
    ),
    *invalid(4, "/trashed_with", {"a patch into the trash": patch(b'{"trashed_with": "{own}"}')}),
    *refused(
        6,
        400,
        "malformed-request",
        {
            f"a history cursor {name}": get(f"{OWN_HISTORY}?cursor={cursor}")
            for name, cursor in NO_CURSORS.items()
        },
    ),
    *refused(
        6,
        400,
        "malformed-request",
        {
            f"a cursor of the trash {name}": get(f"{TRASH}?cursor={cursor}")
            for name, cursor in {
                "of another user": "{trash cursor of bob}",
                "that is of the tasks": "{cursor}",
                "that is of a history": "{history cursor}",
                "with a letter more": "{trash cursor}A",
                "of one letter": "x",
                "of 5,000 letters": "A" * 5000,
                "that is no UTF-8": "%FF",
            }.items()
        },
    ),
    *refused(
        6,
        400,
        "malformed-request",
        {
            "a cursor of the trash for the tasks": get(f"{LIST}?cursor={{trash cursor}}"),
            "a history cursor for the tasks": get(f"{LIST}?cursor={{history cursor}}"),
        },
    ),
    *accepted(
        5,
        200,
        {
            "the trash behind a cursor": get(f"{TRASH}?cursor={{trash cursor}}"),
            "the trash behind an empty cursor": get(f"{TRASH}?cursor="),
            "a history behind a cursor": get(f"{OWN_HISTORY}?cursor={{history cursor}}"),
            "a history behind an empty cursor": get(f"{OWN_HISTORY}?cursor="),
            "a history in the trash": get(TRASHED_TASK + HISTORY),
            "a history in the trash behind a cursor": get(
                f"{TRASHED_TASK}{HISTORY}?limit=1&cursor={{trashed history cursor}}"
            ),
            "a summary in a time zone": get(f"{SUMMARY}?time_zone=Pacific/Kiritimati"),
        },
    ),
    *(
        case
        for name in ("the trash", "a history", "a summary")
        for parameter in ("q", "sort", "completed", "trashed_with", "since", "Limit", "user_id")
        for case in invalid(
            23,
            f"?{parameter}",
            {f"{name} with {parameter}": get(f"{OPERATIONS[name][1]}?{parameter}=1")},
        )
    ),
    *(
        case
        for name in ("a task in the trash", "a restoration", "a purge", "a purge of all")
        for case in invalid(
            23,
            "?subtasks",
            {
                f"{name} with an option": message(
                    OPERATIONS[name][0], f"{OPERATIONS[name][1]}?subtasks=delete"
                )
            },
        )
    ),
    *invalid(23, "?x", {"an undo with a parameter": undo(target=f"{OWN}{UNDO}?x=1")}),
    *invalid(
        23,
        "?time_zone",
        {
            f"a summary in {name}": get(f"{SUMMARY}?time_zone={zone}")
            for name, zone in {
                "no time zone": "CEST",
                "an empty time zone": "",
                "a time zone in another case": "europe/berlin",
                "a time zone that is a path": "../../etc/passwd",
                "a time zone with NUL": "UTC%00",
                "a time zone that is no UTF-8": "%FF",
                "a time zone of 5,000 letters": "x" * 5000,
                "an offset": "%2B01:00",
                "a directory of time zones": "Europe",
                "a file beside the time zones": "tzdata.zi",
                "two time zones": "UTC&time_zone=UTC",
            }.items()
        },
    ),
    *invalid(
        24,
        "/sequence",
        {
            **{
                f"an undo of {name}": undo(b'{"sequence": %s}' % value.encode())
                for name, value in NO_NUMBERS.items()
            },
            **{f"an undo of {name}": undo(body) for name, body in NO_CHANGES.items()},
            "an undo of nothing": undo(b"{}"),
            "an undo of the own creation in another task": undo(target=TRASHED_TASK + UNDO),
            "an undo of no change under a key": undo(REMOVAL, "Idempotency-Key: hostile-no-undo"),
        },
    ),
    *invalid(
        22,
        "",
        {
            f"an undo by {body}": undo(body.encode())
            for body in ("null", "[]", "815", '"815"', "true", '[{"sequence": 1}]')
        },
    ),
    *refused(
        22,
        415,
        "unsupported-media-type",
        {
            "an undo as a merge patch": message(
                "POST", OWN + UNDO, body=b'{"sequence": 1}', media=MERGE_PATCH
            ),
        },
    ),
    *refused(
        22,
        413,
        "body-too-large",
        {
            "a restoration under a key over 192 KiB": restore(
                "Idempotency-Key: large-restore", body=LARGE
            ),
            "an undo under a key over 192 KiB": undo(LARGE, "Idempotency-Key: large-undo"),
            "a purge under a key over 192 KiB": message(
                "DELETE", TRASHED, "Idempotency-Key: large-purge", body=LARGE
            ),
            "a purge of all under a key over 192 KiB in chunks": message(
                "DELETE",
                TRASH,
                "Idempotency-Key: large-purge",
                bodies.CHUNKED,
                body=chunked(LARGE),
            ),
        },
    ),
    *accepted(
        22,
        200,
        {
            "a restoration with a body that is no JSON": restore(body=b"{"),
            "a restoration with a form": restore(body=b"x=1"),
            "a restoration with a body under a key": restore(
                "Idempotency-Key: hostile-restore", body=b'{"list_id": null}'
            ),
            "an undo of a creation": undo(),
            "an undo of a creation under a key": undo(
                b'{"sequence": {sequence}}', "Idempotency-Key: hostile-undo"
            ),
            "an undo of a removal": undo(REMOVAL, target=TRASHED_TASK + UNDO),
            "an undo with a number that has a fraction of zero": undo(
                b'{"sequence": {sequence}.0}'
            ),
            "a purge of all with a body": message("DELETE", TRASH, body=b"{"),
        },
    ),
    *accepted(22, 204, {"a purge with a body": message("DELETE", TRASHED, body=b"{")}),
    *accepted(
        8,
        200,
        {
            "a restoration behind a prefix": restore("X-Forwarded-Prefix: /todo"),
            "a restoration behind a prefix of another host": restore("X-Forwarded-Prefix: //evil"),
            "a restoration from another origin": restore("Origin: https://evil.example"),
            "an undo from an origin that may be let in": undo(
                b'{"sequence": {sequence}}', "Origin: https://app.example"
            ),
            "the trash with another method in a header": get(
                TRASH, "X-HTTP-Method-Override: DELETE"
            ),
        },
    ),
    *refused(
        25,
        404,
        "not-found",
        {
            f"{name} with {what}": message(method, target.replace(own, wrong))
            for name, (method, target) in OPERATIONS.items()
            for own in ("{trashed}", "{own}")
            if own in target
            for what, wrong in {
                "the id 1": "1",
                "an id with a letter more": f"{own}0",
                "an id with NUL behind": f"{own}%00",
                "two ids": f"{own},{own}",
            }.items()
        },
    ),
    *refused(
        7,
        404,
        "not-found",
        {
            **{
                f"{name} with a slash behind": message(method, f"{target}/")
                for name, (method, target) in OPERATIONS.items()
            },
            "the trash in upper case": get("/api/tasks/ada/TRASH"),
            "a history in the trash's path": get(TRASHED + HISTORY),
            "an undo in the trash's path": undo(target=TRASHED + UNDO),
            "a restoration in the tasks' path": restore(target=OWN + RESTORE),
            "a restoration of all": restore(target=TRASH + RESTORE),
            "a change of a task by its number": get(f"{OWN_HISTORY}/1"),
        },
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {
            f"{method} of {name}": message(method, target, body=b"{}")
            for name, target, methods in (
                ("the trash", TRASH, ("POST", "PUT", "PATCH", "QUERY")),
                ("a task in the trash", TRASHED, ("POST", "PUT", "PATCH", "PURGE")),
                ("a restoration", TRASHED + RESTORE, ("GET", "PUT", "PATCH", "DELETE")),
                ("a history", OWN_HISTORY, ("POST", "PUT", "PATCH", "DELETE")),
                ("an undo", OWN + UNDO, ("GET", "PUT", "PATCH", "DELETE")),
                ("a summary", SUMMARY, ("POST", "PUT", "PATCH", "DELETE")),
            )
            for method in methods
        },
    ),
    *accepted(
        9,
        204,
        {
            f"OPTIONS of {name}": message("OPTIONS", target, token=None)
            for name, (_, target) in OPERATIONS.items()
            if name not in {"a purge", "a purge of all"}
        },
    ),
    *accepted(
        9,
        200,
        {
            f"a look at {name}": message("HEAD", target)
            for name, (method, target) in OPERATIONS.items()
            if method == "GET"
        },
    ),
    *refused(
        26,
        400,
        "malformed-request",
        {
            **{
                f"a restoration at {name}": restore(f"If-Match: {tags}")
                for name, tags in conditions.MALFORMED.items()
            },
            **{
                f"{name} at a number": message(method, target, "If-Match: 1")
                for name, (method, target) in OPERATIONS.items()
                if name != "a restoration"
            },
            **{
                f"{name} but for a number": message(method, target, "If-None-Match: 1")
                for name, (method, target) in OPERATIONS.items()
            },
            **{
                f"{name} under two keys": message(method, target, "Idempotency-Key: a,b")
                for name, (method, target) in OPERATIONS.items()
                if method != "GET"
            },
        },
    ),
    *refused(
        26,
        412,
        "precondition-failed",
        {
            **{
                f"a restoration at {name}": restore(f"If-Match: {tags}")
                for name, tags in conditions.MISMATCHED.items()
            },
            "a restoration but for its version": restore('If-None-Match: "1"'),
            "a restoration but for anything": restore("If-None-Match: *"),
            "a purge at another version": delete('If-Match: "2"', target=TRASHED),
            "a purge but for anything": delete("If-None-Match: *", target=TRASHED),
            "an undo at another version": undo(b'{"sequence": {sequence}}', 'If-Match: "2"'),
            "an undo but for its version": undo(b'{"sequence": {sequence}}', 'If-None-Match: "1"'),
            "an undo of no change at another version": undo(REMOVAL, 'If-Match: "2"'),
            "a removal undone at another version": undo(
                REMOVAL, 'If-Match: "2"', target=TRASHED_TASK + UNDO
            ),
            "a read of the trash at another version": get(TRASHED, 'If-Match: "2"'),
            "the trash at a tag": get(TRASH, 'If-Match: "1"'),
            "a history at a tag": get(OWN_HISTORY, 'If-Match: "1"'),
            "a summary at a tag": get(SUMMARY, 'If-Match: "1"'),
            "a purge of all at a tag": delete('If-Match: "1"', target=TRASH),
            "a purge of all but for anything": delete("If-None-Match: *", target=TRASH),
        },
    ),
    *accepted(
        26,
        304,
        {
            "a task in the trash but for its version": get(TRASHED, 'If-None-Match: "1"'),
            "the trash but for anything": get(TRASH, "If-None-Match: *"),
            "a history but for anything": get(OWN_HISTORY, "If-None-Match: *"),
        },
    ),
    *accepted(
        26,
        200,
        {
            "a restoration at its version": restore('If-Match: "1"'),
            "a restoration at any version": restore("If-Match: *"),
            "a restoration but for 400 digits": restore(f'If-None-Match: "{"9" * 400}"'),
            "an undo at its version": undo(b'{"sequence": {sequence}}', 'If-Match: "1"'),
            "a removal undone at its version": undo(
                REMOVAL, 'If-Match: "1"', target=TRASHED_TASK + UNDO
            ),
            "a purge of all at any tag": delete("If-Match: *", target=TRASH),
            "a purge of all but for a tag": delete('If-None-Match: "1"', target=TRASH),
            "the trash with a count": get(TRASH, "Prefer: count=exact"),
            "a history with a count": get(OWN_HISTORY, "Prefer: count=exact"),
            "a summary but for anything": get(SUMMARY, "If-None-Match: *"),
            "a range of the trash": get(TRASH, "Range: bytes=0-1"),
        },
    ),
    *accepted(
        26,
        204,
        {
            "a purge at its version": delete('If-Match: "1"', target=TRASHED),
            "a purge but for another version": delete('If-None-Match: "2"', target=TRASHED),
        },
    ),
    *by_server(
        27, 414, {"a history cursor of 9,000 letters": get(f"{OWN_HISTORY}?cursor={'x' * 9000}")}
    ),
]
