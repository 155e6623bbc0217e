"""Requests as the bytes that go over the wire, well framed unless somebody says otherwise.

It may name what is known only at run time: `{own}`, the id of Ada's task, `{foreign}`, of Bob's,
`{own list}` and `{foreign list}`, of their lists, `{trashed}` and `{foreign trashed}`, of their
tasks in the trash, `{missing}`, an id never used; `{ada}` and `{bob}`, their tokens; and what
`fill_placeholders` has more.
"""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

LIST = "/api/tasks/ada/tasks"
OWN = f"{LIST}/{{own}}"
FOREIGN = f"{LIST}/{{foreign}}"
MISSING = f"{LIST}/{{missing}}"
COMPLETE = "/complete"
POSITION = "/position"

LISTS = "/api/tasks/ada/lists"
OWN_LIST = f"{LISTS}/{{own list}}"
FOREIGN_LIST = f"{LISTS}/{{foreign list}}"
MISSING_LIST = f"{LISTS}/{{missing}}"

TRASH = "/api/tasks/ada/trash"
TRASHED = f"{TRASH}/{{trashed}}"
FOREIGN_TRASHED = f"{TRASH}/{{foreign trashed}}"
RESTORE = "/restore"
HISTORY = "/history"
UNDO = "/undo"
SUMMARY = "/api/tasks/ada/summary"

ADA = "{ada}"
HOST = "tasks.example"
TASK = b'{"title": "Buy milk"}'


def message(
    method: str,
    target: str,
    *lines: str,
    body: bytes | None = None,
    media: str | None = JSON,
    token: str | None = ADA,
    version: str = "HTTP/1.1",
    host: str | None = HOST,
) -> bytes:
    """Return a request of these parts; `lines` are headers, which frame the body where they can."""
    head = [f"{method} {target} {version}"]
    if host is not None:
        head.append(f"Host: {host}")
    if token is not None:
        head.append(f"Authorization: Bearer {token}")
    if body is not None and media is not None:
        head.append(f"Content-Type: {media}")
    if body is not None and not any(_frames(line) for line in lines):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, *lines, "", ""]).encode("latin-1") + (body or b"")


def get(
    target: str = LIST,
    *lines: str,
    token: str | None = ADA,
    version: str = "HTTP/1.1",
    host: str | None = HOST,
) -> bytes:
    return message("GET", target, *lines, token=token, version=version, host=host)


def post(
    body: bytes | None = TASK,
    *lines: str,
    target: str = LIST,
    media: str | None = JSON,
    token: str | None = ADA,
) -> bytes:
    return message("POST", target, *lines, body=body, media=media, token=token)


def put(
    body: bytes | None = TASK, *lines: str, target: str = OWN, media: str | None = JSON
) -> bytes:
    return message("PUT", target, *lines, body=body, media=media)


def patch(
    body: bytes | None = TASK, *lines: str, target: str = OWN, media: str | None = MERGE_PATCH
) -> bytes:
    return message("PATCH", target, *lines, body=body, media=media)


def complete(body: bytes | None = None, *lines: str, target: str = OWN + COMPLETE) -> bytes:
    return message("PATCH", target, *lines, body=body)


def move(body: bytes | None, *lines: str, target: str = OWN + POSITION) -> bytes:
    return message("PATCH", target, *lines, body=body)


def restore(*lines: str, body: bytes | None = None, target: str = TRASHED + RESTORE) -> bytes:
    return message("POST", target, *lines, body=body)


def undo(
    body: bytes | None = b'{"sequence": {sequence}}', *lines: str, target: str = OWN + UNDO
) -> bytes:
    return message("POST", target, *lines, body=body)


def delete(*lines: str, target: str = OWN) -> bytes:
    return message("DELETE", target, *lines)


def chunked(*chunks: bytes) -> bytes:
    """Return a body of these chunks (RFC 9112, section 7.1)."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def _frames(line: str) -> bool:
    return line.lower().startswith(("content-length", "transfer-encoding"))
