"""A real Better Auth signs up a user, and its token is taken: `tox -e better-auth`.

It is set up by the page's own options and settings, but for the address.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.databases import sqlite_database
from tests.parent_death_signal import die_with_parent
from tests.processes import ROOT, SECONDS, gunicorn

HERE = ROOT / "tests" / "better_auth"
PAGE = (ROOT / "docs" / "authentication.md").read_text()
DOCUMENTED = "https://app.example"

pytestmark = pytest.mark.better_auth


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[str]:
    """The address of a Better Auth that runs with the options of the page."""
    shutil.copytree(HERE, tmp_path / "app")
    (code,) = re.findall(r"(?ms)^```js\n(.*?)^```$", PAGE)
    (tmp_path / "app" / "options.mjs").write_text(code)
    with subprocess.Popen(
        ["node", "server.mjs"],
        cwd=tmp_path / "app",
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def ask(issuer: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, str]:
    """Send one request; return what came back, and the cookies that it sets."""
    connection = HTTPConnection(urlsplit(issuer).netloc, timeout=SECONDS)
    given = {"Origin": issuer, "Content-Type": "application/json", **headers}
    connection.request(method, path, body and json.dumps(body), given)
    response = connection.getresponse()
    assert response.status == 200
    cookies = [value.partition(";")[0] for value in response.msg.get_all("Set-Cookie", [])]
    answer = json.loads(response.read())
    connection.close()
    return answer, "; ".join(cookies)


def test_its_tokens_are_taken(issuer: str, tmp_path: Path) -> None:
    """Signed up, asked for a token, and used: the tasks are the user's, by the user's id."""
    (block,) = re.findall(r"(?ms)^## Better Auth\n.*?^```ini\n(.*?)^```$", PAGE)
    settings = dict(line.replace(DOCUMENTED, issuer).split("=", 1) for line in block.splitlines())
    account = {"name": "Ada", "email": "ada@app.example", "password": "a long password"}
    signed_up, cookies = ask(issuer, "POST", "/api/auth/sign-up/email", account)
    granted, _ = ask(issuer, "GET", "/api/auth/token", Cookie=cookies)
    user = signed_up["user"]["id"]
    path = f"/api/tasks/{user}/tasks"
    with gunicorn(tmp_path, DATABASE_URL=sqlite_database(tmp_path), **settings) as service:
        created = service("POST", path, granted["token"], {"title": "Read a book"})
        assert (created.status, created.json["user_id"]) == (201, user)
        assert service("GET", "/api/tasks/ada/tasks", granted["token"]).status == 403
