"""Keeps a copy of one user's lists and tasks in an SQLite file up to date, by delta sync."""

import json
import sqlite3
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

SCHEMA = """
CREATE TABLE IF NOT EXISTS copy (kind TEXT, id TEXT, entity TEXT, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS sync (token TEXT);
"""


def update(database: sqlite3.Connection, url: str, access_token: str, limit: int = 100) -> None:
    """Apply all changes to the copy. `url` ends with `/api/tasks/{user_id}/changes`."""
    database.executescript(SCHEMA)
    (since,) = database.execute("SELECT token FROM sync").fetchone() or (None,)
    gathered: list[dict[str, Any]] = []
    replace, more = False, True
    while more:
        query = {"limit": limit} if since is None else {"limit": limit, "since": since}
        headers = {"Authorization": f"Bearer {access_token}"}
        request = Request(f"{url}?{urlencode(query)}", headers=headers)
        try:
            with urlopen(request, timeout=60) as response:
                page = json.load(response)
        except HTTPError as error:
            if error.code != 410 or since is None:
                raise
            error.close()
            since, gathered = None, []
            continue
        since, more = page["next"], page["more"]
        gathered += page["changes"]
        if page["full"]:
            replace = True
            continue
        _store(database, gathered, since, replace=replace)
        gathered, replace = [], False


def _store(
    database: sqlite3.Connection, entries: list[dict[str, Any]], token: str, *, replace: bool
) -> None:
    """Apply entries and store the token, in one transaction; `replace` empties the copy before."""
    with database:
        if replace:
            database.execute("DELETE FROM copy")
        for entry in entries:
            key, entity = (entry["kind"], entry["id"]), entry.get(entry["kind"])
            database.execute("DELETE FROM copy WHERE (kind, id) = (?, ?)", key)
            if entity is not None:
                database.execute("INSERT INTO copy VALUES (?, ?, ?)", (*key, json.dumps(entity)))
        database.execute("DELETE FROM sync")
        database.execute("INSERT INTO sync VALUES (?)", (token,))
