"""Delta sync: tokens that are altered, another user's, or made by hand; its limit and methods."""

import re
from base64 import urlsafe_b64encode
from struct import pack
from uuid import UUID

from tests.hostile import queries
from tests.hostile.case import Case, accepted, by_server, invalid, refused
from tests.hostile.messages import LIST, get, message

from taskservice.adapters.http.api import sync_tokens
from taskservice.core.changes import Position
from taskservice.core.entity import Entity
from taskservice.core.sync import FIRST, SyncState
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList

CHANGES = "/api/tasks/ada/changes"
START = Position(0, 0)
LAST = 2**63 - 1
LAST_MARK = 2**64 - 1

is_about_limit = re.compile(rb"GET /api/tasks/ada/tasks\?(limit|%6Cimit)(?!.*(cursor|completed))")


def token(position: Position = START, seen: Position | None = None, owner: str = "ada") -> str:
    """Return a token of a page of changes, with a right digest."""
    return sync_tokens.encode(owner, SyncState(position, seen or position))


def list_token(kind: type[Entity], after: UUID = FIRST, seen: Position = START) -> str:
    """Return a token of a first sync, with a right digest."""
    return sync_tokens.encode("ada", SyncState(START, seen, kind, after))


def forged(content: bytes) -> str:
    """Return a token of any content, with a right digest."""
    digest = sync_tokens._digest("ada", content)
    return urlsafe_b64encode(content + digest).rstrip(b"=").decode()


def since(text: str) -> bytes:
    return get(f"{CHANGES}?since={text}")


def of_changes(case: Case) -> Case:
    """Return the entry about the list of tasks, asked of the changes."""
    request = case.request.replace(b"/ada/tasks?", b"/ada/changes?")
    return case._replace(name=f"{case.name}, of changes", request=request)


OWN = token()
OF_BOB = token(owner="bob")
BEGINNING = pack(">BBQQ", 1, 0, 0, 0)
NO_TOKENS = {
    "of another user": OF_BOB,
    "of nobody": token(owner="auth0|nobody"),
    "of the same user in another case": token(owner="Ada"),
    "of a letter": "x",
    "that is empty": "",
    "without its last letter": OWN[:-1],
    "with a letter more": f"{OWN}A",
    "with another first letter": f"B{OWN[1:]}",
    "with another last bit": OWN[:-1] + chr(ord(OWN[-1]) + 1),
    "with a flipped number": f"{OWN[:10]}B{OWN[11:]}",
    "twice in a row": OWN * 2,
    "with padding": f"{OWN}==",
    "with one sign of padding": f"{OWN}%3D",
    "with a space behind": f"{OWN}%20",
    "with a plus behind": f"{OWN}+",
    "with a space before": f"%20{OWN}",
    "with NUL behind": f"{OWN}%00",
    "with a line end behind": f"{OWN}%0A",
    "with a letter of no alphabet": f"!{OWN}",
    "in the other alphabet of Base64": f"{OWN[:4]}%2B%2F{OWN[6:]}",
    "in upper case": OWN.upper(),
    "in hexadecimal": BEGINNING.hex(),
    "that is no ASCII": "%C3%A4",
    "that is no UTF-8": "%FF",
    "that is a surrogate": "%ED%A0%80",
    "of full-width letters": "%EF%BC%A1" * 46,
    "of one letter, as often as a token has": "A" * 46,
    "of 5,000 letters": "A" * 5000,
    "that is a number": "1",
    "that is -1": "-1",
    "that is a time": "2026-02-09T10:00:00Z",
    "that is null": "null",
    "that is an id": "{own}",
    "that is a cursor": "{cursor}",
    "that is a bearer token": "{ada}",
    "that is SQL": "'%20OR%20seq%3E0--",
    "of another version": forged(pack(">BBQQ", 2, 0, 0, 0)),
    "of version 0": forged(pack(">BBQQ", 0, 0, 0, 0)),
    "of an unknown kind": forged(pack(">BBQQ", 1, 3, 0, 0) + FIRST.bytes),
    "of kind 255": forged(pack(">BBQQ", 1, 255, 0, 0) + FIRST.bytes),
    "of nothing but a digest": forged(b""),
    "of half a number": forged(BEGINNING[:5]),
    "of a byte more": forged(BEGINNING + b"\0"),
    "that says twice what was seen": forged(BEGINNING + pack(">QQ", 0, 0)),
    "that has seen half a position": forged(BEGINNING + pack(">Q", 0)),
    "of changes that has an id": forged(BEGINNING + FIRST.bytes * 2),
    "of lists without an id": forged(pack(">BBQQ", 1, 1, 0, 0)),
    "of lists with half an id": forged(pack(">BBQQ", 1, 1, 0, 0) + FIRST.bytes[:8]),
    "of change 2^63": token(Position(2**63, 1)),
    "of change 2^64-1": token(Position(2**64 - 1, LAST_MARK)),
    "that has seen change 2^63": token(START, Position(2**63, 1)),
    "of lists that has seen change 2^63": list_token(TaskList, seen=Position(2**63, 0)),
}
EXPIRED = {
    "of a change that is none": token(Position(LAST, 1)),
    "of the last change without a mark": token(Position(LAST, 0)),
    "of the last change with the last mark": token(Position(LAST, LAST_MARK)),
    "of a change of another log": token(Position(1, 1)),
    "of a change without a mark": token(Position(1, 0)),
    "of a mark without a change": token(Position(0, 1)),
    "that has seen a change that is none": token(START, Position(LAST, 1)),
    "that has seen less than it was shown": token(Position(2, 1), START),
    "that has seen a mark without a change": token(START, Position(0, 1)),
    "of tasks that has seen a change that is none": list_token(Task, seen=Position(LAST, 1)),
    "of lists that has seen change 1 without a mark": list_token(TaskList, seen=Position(1, 0)),
}

CASES = [
    *refused(
        6,
        400,
        "malformed-request",
        {
            "a sync token without a value": get(f"{CHANGES}?since"),
            **{f"a sync token {name}": since(text) for name, text in NO_TOKENS.items()},
        },
        at=("?since",),
    ),
    *refused(
        6,
        410,
        "sync-expired",
        {f"a sync token {name}": since(text) for name, text in EXPIRED.items()},
    ),
    *refused(
        6,
        400,
        "malformed-request",
        {
            "a sync token for a cursor": get(f"{LIST}?cursor={OWN}"),
        },
    ),
    *accepted(
        5,
        200,
        {
            "no sync token": get(CHANGES),
            "a sync token": since(OWN),
            "a sync token with an encoded name": get(f"{CHANGES}?%73ince={OWN}"),
            "a sync token of lists": since(list_token(TaskList)),
            "a sync token of tasks behind the last id": since(
                list_token(Task, UUID(int=2**128 - 1))
            ),
            "a sync token under another limit": get(f"{CHANGES}?limit=1&since={OWN}"),
        },
    ),
    *(of_changes(case) for case in queries.CASES if is_about_limit.match(case.request)),
    *invalid(
        23,
        "?since",
        {
            "two sync tokens": get(f"{CHANGES}?since={OWN}&since={OWN}"),
            "a sync token beside an empty one": get(f"{CHANGES}?since=&since={OWN}"),
        },
    ),
    *invalid(
        23, "?limit", {"a bad sync token under a bad limit": get(f"{CHANGES}?since=x&limit=0")}
    ),
    *(
        case
        for name in ("cursor", "q", "completed", "sort", "list_id", "Since", "since[]", "user_id")
        for case in invalid(
            23, f"?{name}", {f"{name} of a sync": get(f"{CHANGES}?{name}=1&since={OWN}")}
        )
    ),
    *invalid(23, "?since", {"a sync token of the tasks": get(f"{LIST}?since={OWN}")}),
    *refused(
        1,
        401,
        "unauthenticated",
        {
            "a sync without a token": get(f"{CHANGES}?since={OWN}", token=None),
            "a sync with the sync token alone": get(CHANGES, token=OWN),
        },
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            "the changes of another user": get("/api/tasks/bob/changes"),
            "the changes behind a sync token of another user": get(
                f"/api/tasks/bob/changes?since={OF_BOB}"
            ),
            "another user's changes behind the own sync token": get(
                f"/api/tasks/bob/changes?since={OWN}"
            ),
        },
    ),
    *refused(
        7,
        404,
        "not-found",
        {
            "the changes with a slash behind": get(f"{CHANGES}/"),
            "a change by its number": get(f"{CHANGES}/1"),
            "the changes in upper case": get("/api/tasks/ada/CHANGES"),
        },
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {
            f"{method} of the changes": message(method, CHANGES, body=b"{}")
            for method in ("POST", "PUT", "PATCH", "DELETE", "QUERY")
        },
    ),
    *accepted(9, 204, {"OPTIONS of the changes": message("OPTIONS", CHANGES, token=None)}),
    *accepted(
        9,
        200,
        {
            "a look at the changes": message("HEAD", CHANGES),
            "a look behind a sync token": message("HEAD", f"{CHANGES}?since={OWN}"),
        },
    ),
    *refused(
        6,
        410,
        "sync-expired",
        {
            "a look behind an old sync token": message(
                "HEAD", f"{CHANGES}?since={token(Position(1, 1))}"
            )
        },
    ),
    *accepted(
        26,
        200,
        {
            "changes at any tag": get(CHANGES, "If-Match: *"),
            "changes but for anything": get(CHANGES, "If-None-Match: *"),
            "changes but for a tag": get(CHANGES, 'If-None-Match: "1"'),
            "changes with a count": get(CHANGES, "Prefer: count=exact"),
            "changes under a key": get(CHANGES, "Idempotency-Key: k"),
            "a range of the changes": get(CHANGES, "Range: bytes=0-1"),
        },
    ),
    *refused(26, 412, "precondition-failed", {"changes at a tag": get(CHANGES, 'If-Match: "1"')}),
    *refused(26, 400, "malformed-request", {"changes at a word": get(CHANGES, "If-Match: x")}),
    *by_server(27, 414, {"a sync token of 9,000 letters": since("x" * 9000)}),
]
