"""The floor: the least that a WSGI callable can honestly do for each operation.

No framework: the token is tested (PyJWT) and compared with the path, one
statement in autocommit is executed (psycopg, prepared), JSON is written (orjson).
A task has the members of the service's. There is no validation, no lists, moves or
series, no columns for the search, no row-level security, no change log, no log and no
idempotency keys. PUT replaces all that a user sets; of two changes at once, the second
overwrites the first.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
import orjson
import psycopg
from psycopg.rows import dict_row

SECRET = os.environ.get("TASKSERVICE_JWT_SECRET", "")

TABLE = """
    CREATE TABLE tasks (
        user_id varchar(255) COLLATE "C" NOT NULL, id uuid NOT NULL,
        title varchar(255) NOT NULL, description text, completed boolean NOT NULL,
        status varchar(16) NOT NULL, due varchar(19), start varchar(19), time_zone varchar(64),
        priority smallint, labels varchar(100)[] NOT NULL, list_id uuid, parent_id uuid,
        recurrence varchar(255), repeats_from varchar(16) NOT NULL, occurrence varchar(19),
        completed_at timestamptz, created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL, version integer NOT NULL DEFAULT 1,
        position varchar(255) NOT NULL DEFAULT '01932d0e5f0acc31', series_id uuid, next_id uuid,
        PRIMARY KEY (user_id, id))
"""
NULLABLE = (
    *("description", "due", "start", "time_zone", "priority", "list_id", "parent_id"),
    *("recurrence", "occurrence"),
)
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(NULLABLE),
    "completed": False,
    "labels": [],
    "repeats_from": "schedule",
}
SET = ("title", "status", *DEFAULTS)
NEW = ", ".join(SET)
VALUES = ", ".join(f"%({name})s" for name in SET)
FIELDS = f"""
    id::text, user_id, {NEW.replace("_id", "_id::text")},
    completed_at, created_at, updated_at, version, position, series_id::text, next_id::text
"""
ONE = "WHERE user_id = %(owner)s AND id = %(id)s"
CHANGED = """
    completed_at = CASE WHEN %(completed)s THEN coalesce(completed_at, %(now)s) END,
    updated_at = %(now)s, version = version + 1
"""
LIST = f"SELECT {FIELDS} FROM tasks WHERE user_id = %(owner)s ORDER BY id DESC LIMIT 100"
GET = f"SELECT {FIELDS} FROM tasks {ONE}"
CREATE = f"""
    INSERT INTO tasks (user_id, id, {NEW}, completed_at, created_at, updated_at) VALUES
    (%(owner)s, %(id)s, {VALUES}, CASE WHEN %(completed)s THEN %(now)s END, %(now)s, %(now)s)
    RETURNING {FIELDS}
"""
UPDATE = f"UPDATE tasks SET ({NEW}) = ROW ({VALUES}), {CHANGED} {ONE} RETURNING {FIELDS}"
COMPLETE = f"""
    UPDATE tasks SET completed = %(completed)s,
    status = CASE WHEN completed = %(completed)s THEN status ELSE %(status)s END,
    {CHANGED} {ONE} RETURNING {FIELDS}
"""
DELETE = f"DELETE FROM tasks {ONE} RETURNING {FIELDS}"

STATEMENTS = {"GET": GET, "POST": CREATE, "PUT": UPDATE, "PATCH": COMPLETE, "DELETE": DELETE}
STATUS = {"POST": "201 Created", "DELETE": "204 No Content"}

_idle: list[psycopg.Connection[dict[str, Any]]] = []
_decode = jwt.PyJWT().decode


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request for tasks."""
    _, _, _, owner, _, *rest = environ["PATH_INFO"].split("/")
    token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    try:
        claims = _decode(token, SECRET, ["HS256"], {"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        return _answer(start_response, "401 Unauthorized")
    if claims["sub"] != owner:
        return _answer(start_response, "403 Forbidden")
    method = environ["REQUEST_METHOD"]
    if not rest and method == "GET":
        return _answer(start_response, "200 OK", _json(_rows(LIST, {"owner": owner})))
    found = _rows(STATEMENTS[method], _values(environ, owner, rest))
    if not found:
        return _answer(start_response, "404 Not Found")
    if method == "DELETE":
        return _answer(start_response, STATUS[method])
    return _answer(start_response, STATUS.get(method, "200 OK"), _json(found[0]))


def _values(environ: dict[str, Any], owner: str, rest: list[str]) -> dict[str, Any]:
    key = {"owner": owner, "id": rest[0] if rest else uuid4()}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not length:
        return key
    body = orjson.loads(environ["wsgi.input"].read(length))
    status = "completed" if body.get("completed") else "needs-action"
    return {"status": status, **DEFAULTS, **body, **key, "now": datetime.now(UTC)}


def _json(found: object) -> bytes:
    return orjson.dumps(found, option=orjson.OPT_UTC_Z)


def _rows(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    connection = _idle.pop() if _idle else _connected()
    rows = connection.execute(statement, values).fetchall()
    _idle.append(connection)
    return rows


def _connected() -> psycopg.Connection[dict[str, Any]]:
    connect = psycopg.Connection[dict[str, Any]].connect
    address = os.environ["DATABASE_URL"]
    options = "-c timezone=UTC"
    return connect(
        address, autocommit=True, prepare_threshold=0, row_factory=dict_row, options=options
    )


def _answer(start_response: Any, status: str, body: bytes = b"") -> list[bytes]:
    headers = [("Content-Type", "application/json")] if body else []
    length = [] if status.startswith("204") else [("Content-Length", str(len(body)))]
    start_response(status, headers + length)
    return [body]
