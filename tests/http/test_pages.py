"""The pages for readers, as far as no browser is needed to judge them."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.http_callers import SETTINGS, application
from tests.problem_details import problem

from taskservice import __version__
from taskservice.adapters.http.pages import public_pages
from taskservice.adapters.http.protocol.problems import PROBLEM_TYPES
from taskservice.app import create_app
from taskservice.core.errors import Unavailable
from taskservice.core.workspace import OpenWorkspace

PAGES = ["/", "/docs", *(f"/problems/{name}" for name in PROBLEM_TYPES)]


class Page(HTMLParser):
    """What a page holds: its elements, the addresses that it names, and its text."""

    def __init__(self, address: str, client: FlaskClient) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.answer = client.get(address)
        self.feed(self.answer.text)
        self.named = {
            urljoin(address, value)
            for _, attributes in self.elements
            for name in ("href", "src", "data-probe")
            if (value := attributes.get(name))
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        """Return how many elements are `tag`."""
        return [name for name, _ in self.elements].count(tag)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, client: FlaskClient) -> Page:
    return Page(request.param, client)


def test_a_page_names_only_what_is_here(page: Page, client: FlaskClient) -> None:
    """Each address in a page is one of this service, and answers."""
    assert page.answer.status_code == 200
    for address in page.named:
        assert address.startswith("/")
        assert client.get(address, buffered=True).status_code == 200


def test_a_page_is_under_a_strict_policy(page: Page) -> None:
    """Nothing inline, evaluated or from elsewhere is allowed, and nothing inline is there."""
    policy = dict(
        directive.split(" ", 1)
        for directive in page.answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert page.answer.headers["Referrer-Policy"] == "no-referrer"
    assert page.answer.headers["X-Content-Type-Options"] == "nosniff"
    for tag, attributes in page.elements:
        assert tag != "style"
        assert tag != "script" or attributes["src"]
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_a_page_can_be_read_by_everybody(page: Page) -> None:
    """It says its language, its title and its place, fits a phone, and knows light and dark."""
    assert ("html", {"lang": "en"}) in page.elements
    assert re.search(r"<title>[^<]*taskservice[^<]*</title>", page.answer.text)
    named = {attributes.get("name"): attributes.get("content") for _, attributes in page.elements}
    assert named["viewport"] == "width=device-width, initial-scale=1"
    assert named["color-scheme"] == "light dark"
    assert page.count("header") == 1


def test_a_page_is_sent_again_only_when_it_changed(page: Page, client: FlaskClient) -> None:
    """A browser asks each time, and hears 304 as long as it holds what is there."""
    answer = page.answer
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("address", ["/", "/openapi.json", "/docs/start.js"])
def test_a_page_is_read_at_its_tag(client: FlaskClient, address: str) -> None:
    """`If-Match` is heeded here as well: 412 to another tag, and before a 304."""
    tag = client.get(address, buffered=True).headers["ETag"]
    for tags, status in ((tag, 200), ("*", 200), (f'"x", {tag}', 200), (f"W/{tag}", 412)):
        answer = client.get(address, headers={"If-Match": tags}, buffered=True)
        assert answer.status_code == status
    both = {"If-Match": '"x"', "If-None-Match": tag}
    problem(client.get(address, headers=both), 412, "precondition-failed")
    problem(client.get(address, headers={"If-Match": "x"}), 400, "malformed-request")


def test_the_front_page_leads_everywhere(client: FlaskClient) -> None:
    """What this is, its version, and where the reference, the document and the probes are."""
    page = Page("/", client)
    assert page.count("h1") == page.count("main") == page.count("nav") == 1
    assert "multi-user task service" in page.answer.text
    assert __version__ in page.answer.text
    assert {"/docs", "/openapi.json", "/readyz", "/livez"} <= page.named


def test_the_front_page_looks_at_nothing(open_workspace: OpenWorkspace) -> None:
    """It is there when nothing else is, and whoever scans addresses wakes no database.

    The page's script asks `/readyz`; without scripts there is a link to it.
    """
    looked = []

    def down() -> None:
        looked.append("database")
        raise Unavailable("down")

    client = create_app(open_workspace, SETTINGS, {"database": down}).test_client()
    page = Page("/", client)
    assert (page.answer.status_code, looked) == (200, [])
    assert ("section", "readyz") in {(tag, had.get("data-probe")) for tag, had in page.elements}
    assert '<a href="readyz">Check readiness</a>' in page.answer.text
    problem(client.get("/readyz"), 503, "unavailable")
    assert looked == ["database"]


def test_the_front_page_escapes_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, open_workspace: OpenWorkspace
) -> None:
    """A version, or a prefix that a proxy says, is text and never markup."""
    evil = '"><script>alert(1)</script>'
    monkeypatch.setattr(public_pages, "__version__", evil)
    client = create_app(open_workspace, replace(SETTINGS, proxies=1)).test_client()
    text = client.get("/", headers={"X-Forwarded-Prefix": f"/{evil}"}).text
    assert "alert(1)" in text
    assert "<script>" not in text


def test_a_page_of_a_problem_shows_names_as_code(client: FlaskClient) -> None:
    """What stands between backticks is set as code."""
    text = client.get("/problems/unavailable").text
    assert "<code>Retry-After</code>" in text
    assert "`" not in text


def test_every_kind_of_problem_has_its_page(client: FlaskClient) -> None:
    """The `type` of a problem is an address that explains it."""
    for name, kind in PROBLEM_TYPES.items():
        response = client.get(f"/problems/{name}")
        assert response.status_code == 200
        assert f"Status {kind.status}" in response.text
    problem(client.get("/problems/nothing"), 404, "not-found")


def test_files_are_kept_under_their_own_name(page: Page, client: FlaskClient) -> None:
    """A file's address changes with the file: browsers keep it for a year, and ask no more."""
    files = {address for address in page.named if "?v=" in address}
    assert files
    for address in files:
        answer = client.get(address, buffered=True)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("version", ["", "?v=", "?v=0", "?v=0&v=1", "?w=1"])
def test_a_file_of_another_version_is_not_kept(client: FlaskClient, version: str) -> None:
    """A page of an older or a newer process gets what there is, and nobody keeps that."""
    answer = client.get(f"/docs/start.js{version}", buffered=True)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path", ["LICENSE", "index.html", "..%2Freference.py", "swagger-ui.js", "page.css.map"]
)
def test_no_other_file_is_served(client: FlaskClient, path: str) -> None:
    """Of the folders that hold the files, only those that a page needs."""
    problem(client.get(f"/docs/{path}"), 404, "not-found")


@pytest.mark.parametrize(
    ("proxies", "prefix", "server"),
    [
        (0, "/tasks", "/"),
        (1, "", "/"),
        (1, "/tasks", "/tasks"),
        (1, "/tasks/", "/tasks"),
        (1, "/a task's", "/a%20task's"),
        (1, "/a%20task's", "/a%20task's"),
    ],
)
def test_the_document_says_where_the_service_is(
    open_workspace: OpenWorkspace, proxies: int, prefix: str, server: str
) -> None:
    """Behind a prefix that a trusted proxy says, the paths of the document are under it."""
    client = application(open_workspace, replace(SETTINGS, proxies=proxies)).test_client()
    document = client.get("/openapi.json", headers={"X-Forwarded-Prefix": prefix}).json or {}
    plain = client.get("/openapi.json").json or {}
    assert [said["url"] for said in document.pop("servers")] == [server]
    assert [said["url"] for said in plain.pop("servers")] == ["/"]
    assert document == plain
