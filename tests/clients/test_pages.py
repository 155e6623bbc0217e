"""Clients that are generated from the document do what their pages say, to a running service.

Needs Node, npm and a JDK: `tox -e clients` runs it.
"""

import json
from pathlib import Path

import pytest
from tests.clients.libraries import MODULES
from tests.clients.pages import PAGES, Page
from tests.clients.programs import run_program
from tests.clients.projects import LOCKED
from tests.http_callers import token_of
from tests.processes import ROOT, Service

pytestmark = pytest.mark.clients

TASKS = "/api/tasks/ada/tasks"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_does_what_it_says(
    grown_service: Service, page: Page, workplace: Path, path: str
) -> None:
    """Its commands make a client; its code runs with it, and prints what the page shows.

    Ada has tasks already, as a reader will. The answers have members that the client's document
    does not name, as those of a later version will.
    """
    service = grown_service
    made = service("POST", TASKS, token_of("ada"), {"title": "Buy stamps"})
    assert (made.status, made.json["added_text"]) == (201, "new")
    done = run_program(page, page.code, service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [done.stdout] == page.blocks("text"), done.stderr
    check_what_is_left(service)


def check_what_is_left(service: Service) -> None:
    """Assert what the story leaves: beside the stamps 249 tasks, and no milk left over."""
    counted = service("GET", TASKS, token_of("ada"), None, Prefer="count=exact")
    assert counted.headers["X-Total-Count"] == "250"
    assert service("GET", f"{TASKS}?q=milk", token_of("ada")).json == []


def pinned() -> dict[str, str]:
    """Return the versions that the locks name."""
    found = {}
    for folder in (MODULES.parent, LOCKED):
        packages = json.loads((folder / "package-lock.json").read_text())["packages"]
        for place, package in packages.items():
            found[place.removeprefix("node_modules/")] = package.get("version")
    for lock in ("requirements.txt", "requirements-clients.txt"):
        lines = (ROOT / lock).read_text().splitlines()
        names = (line.split()[0] for line in lines if "==" in line)
        found |= dict(name.split("==") for name in names)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_the_versions_that_are_tested(page: Page) -> None:
    """What a reader installs is what the tests run."""
    assert page.installed
    assert page.installed <= set(pinned().items())
