"""The documented way of a request, from the socket to the row."""

import re
from pathlib import Path

from tests.databases import sqlite_database
from tests.http_callers import token_of
from tests.processes import ROOT, gunicorn, gunicorn_command
from tests.secret_values import SECRET

PAGE = (ROOT / "docs" / "architecture.md").read_text()
MAX_MODULES = 10
APPLICATION = """
import sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from taskservice.wsgi import app

@event.listens_for(Engine, "before_cursor_execute")
def note(connection, cursor, statement, *_):
    if statement.startswith("UPDATE tasks"):
        frame, modules = sys._getframe(), {}
        while frame:
            modules[frame.f_globals["__name__"]] = None
            frame = frame.f_back
        own = [name.removeprefix("taskservice.") for name in reversed(modules)]
        with open("walk", "w") as file:
            print(*(name for name in own if f"taskservice.{name}" in modules), file=file)
"""


def test_a_keyed_request_crosses_the_documented_modules(tmp_path: Path) -> None:
    """They are on the call stack when the row is written: ten at most."""
    (tmp_path / "walked.py").write_text(APPLICATION)
    command = gunicorn_command("walked:app")
    command[command.index("--pythonpath") + 1] = str(tmp_path)
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    path, token = "/api/tasks/ada/tasks", token_of("ada")
    with gunicorn(tmp_path, command=command, **settings) as service:
        task = service("POST", path, token, {"title": "Buy milk"}).json
        key = {"Idempotency-Key": "key"}
        answer = service("PATCH", f"{path}/{task['id']}", token, {"title": "Buy bread"}, **key)
        assert answer.status == 200
    walked = (tmp_path / "walk").read_text().split()
    documented = re.findall(r"(?m)^\| `((?:server|adapters|core)\.[a-z_.]+)` \|", PAGE)
    assert walked == documented
    assert len(walked) <= MAX_MODULES
