"""The floor: the least that a WSGI callable can honestly do for each operation.

No framework: the token is tested (PyJWT) and compared with the path, one
statement in autocommit is executed (psycopg, prepared), JSON is written (orjson).
There is no row-level security, no version, no validation, no log.
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

FIELDS = "id::text, user_id, title, description, completed, created_at, updated_at"
ONE = "WHERE user_id = %(owner)s AND id = %(id)s"
TABLE = """
    CREATE TABLE tasks (
        user_id varchar(255) COLLATE "C" NOT NULL, id uuid NOT NULL,
        title varchar(255) NOT NULL, description text, completed boolean NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, id))
"""
LIST = f"SELECT {FIELDS} FROM tasks WHERE user_id = %(owner)s ORDER BY id DESC LIMIT 100"
GET = f"SELECT {FIELDS} FROM tasks {ONE}"
CREATE = f"""
    INSERT INTO tasks VALUES
    (%(owner)s, %(id)s, %(title)s, %(description)s, %(completed)s, %(now)s, %(now)s)
    RETURNING {FIELDS}
"""
UPDATE = f"""
    UPDATE tasks SET title = %(title)s, description = %(description)s,
    completed = %(completed)s, updated_at = %(now)s {ONE} RETURNING {FIELDS}
"""
COMPLETE = (
    f"UPDATE tasks SET completed = %(completed)s, updated_at = %(now)s {ONE} RETURNING {FIELDS}"
)
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
        return _answer(start_response, "200 OK", orjson.dumps(_rows(LIST, {"owner": owner})))
    found = _rows(STATEMENTS[method], _values(environ, owner, rest))
    if not found:
        return _answer(start_response, "404 Not Found")
    if method == "DELETE":
        return _answer(start_response, STATUS[method])
    return _answer(start_response, STATUS.get(method, "200 OK"), orjson.dumps(found[0]))


def _values(environ: dict[str, Any], owner: str, rest: list[str]) -> dict[str, Any]:
    key = {"owner": owner, "id": rest[0] if rest else uuid4()}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not length:
        return key
    body = orjson.loads(environ["wsgi.input"].read(length))
    return {"description": None, "completed": False, **body, **key, "now": datetime.now(UTC)}


def _rows(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    connection = _idle.pop() if _idle else _connected()
    rows = connection.execute(statement, values).fetchall()
    _idle.append(connection)
    return rows


def _connected() -> psycopg.Connection[dict[str, Any]]:
    connect = psycopg.Connection[dict[str, Any]].connect
    address = os.environ["DATABASE_URL"]
    return connect(address, autocommit=True, prepare_threshold=0, row_factory=dict_row)


def _answer(start_response: Any, status: str, body: bytes = b"") -> list[bytes]:
    headers = [("Content-Type", "application/json")] if body else []
    length = [] if status.startswith("204") else [("Content-Length", str(len(body)))]
    start_response(status, headers + length)
    return [body]
