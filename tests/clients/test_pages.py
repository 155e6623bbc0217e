"""Clients that are generated from the document do what their pages say, to a running service.

Needs Node, npm and a JDK: `tox -e clients` runs it.
"""

import json
import subprocess
from pathlib import Path

import pytest
from tests.clients.libraries import MODULES
from tests.clients.pages import ADDRESS, PAGES, Page
from tests.clients.projects import LOCKED, make_project
from tests.http_callers import token_of
from tests.parent_death_signal import die_with_parent
from tests.processes import ROOT, Service, environment

pytestmark = pytest.mark.clients

TASKS = "/api/tasks/ada/tasks"
SECONDS = 110

BEFORE = Path(__file__).with_name("before")
"""The document of the version before tasks could be planned, and a program for each client."""

PLAN = {
    "status": "in-process",
    "due": "2026-03-29T09:00:00",
    "start": "2026-03-29T08:00:00",
    "time_zone": "Europe/Berlin",
    "priority": 1,
    "labels": ["errands", "home"],
}
READ_BEFORE = """\
listed: Buy stamps, 2026-03-29T09:00:00
got: Buy stamps, 2026-03-29T09:00:00
patched: Buy milk, 2026-03-29T09:00:00
updated: Buy bread, 2026-03-29T09:00:00
completed: Buy bread, 2026-03-29T09:00:00
"""


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
    done = run_page(page, page.code, service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [done.stdout] == page.blocks("text"), done.stderr
    check_what_is_left(service)


def run_page(
    page: Page, program: str, service: Service, workplace: Path, path: str
) -> subprocess.CompletedProcess[str]:
    """Run the commands of a page with a program, in a new project if the page has one."""
    folder = workplace / page.project
    if page.project:
        make_project(page.installation.splitlines()[0], folder, path)
    (folder / page.file).write_text(program.replace(ADDRESS, service.address))
    return subprocess.run(
        ["sh", "-eu", "-c", page.script.replace(ADDRESS, service.address)],
        cwd=folder,
        env=environment(TOKEN=token_of("ada"), PATH=path),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=die_with_parent,
    )


def check_what_is_left(service: Service) -> None:
    """Assert what the story leaves: beside the stamps 249 tasks, and no milk left over."""
    counted = service("GET", TASKS, token_of("ada"), None, Prefer="count=exact")
    assert counted.headers["X-Total-Count"] == "250"
    assert service("GET", f"{TASKS}?q=milk", token_of("ada")).json == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_of_the_version_before_reads_planned_tasks(
    service_before: Service, page: Page, workplace: Path, path: str
) -> None:
    """It finds their new members among those that it does not know, and its updates keep them."""
    service = service_before
    made = service("POST", TASKS, token_of("ada"), {"title": "Buy stamps", **PLAN})
    assert made.status == 201
    name = Path(page.name).stem.replace("-", "_")
    program = (BEFORE / f"{name}{Path(page.file).suffix}").read_text()
    done = run_page(page, program, service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == READ_BEFORE, done.stderr
    (left,) = service("GET", TASKS, token_of("ada")).json
    kept = {**PLAN, "title": "Buy bread", "status": "completed"}
    assert {name: left[name] for name in kept} == kept


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
