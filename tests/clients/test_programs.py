"""Generated clients read and write lists and sub-tasks; those of the version before read them.

Needs Node, npm and a JDK: `tox -e clients` runs it.
"""

from pathlib import Path

import pytest
from tests.clients.pages import PAGES, Page
from tests.clients.programs import program_in, run_program
from tests.http_callers import token_of
from tests.processes import Service

pytestmark = pytest.mark.clients

ADA = token_of("ada")
PATH = "/api/tasks/ada"

BEFORE = Path(__file__).with_name("before")
"""The document of the version before tasks had lists, and a program for each client."""

LISTS = Path(__file__).with_name("lists")
"""A program for each client that reads and writes lists and sub-tasks."""

READ_BEFORE = """\
listed: Buy stamps, the list
got: Buy stamps, the list
patched: Buy milk, the list
updated: Buy bread, the list
completed: Buy bread, the list
"""
WRITTEN = """\
lists: Work, Food
created: Milk, in food True, under shop True
moved: Bread, Milk, True
patched: Oat milk, in food True, under shop True
updated: Soy milk, in food True, under shop True
cleared: Bread, in food False, under shop False
refused: 409 /problems/list-not-empty
inbox: Bread, Report
food: 0
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_reads_and_writes_lists_and_subtasks(
    grown_service: Service, page: Page, workplace: Path, path: str
) -> None:
    """It moves tasks and lists, deletes them with all options, and clears what may be null.

    An update of a title leaves the list and the parent as they are.
    """
    done = run_program(page, program_in(LISTS, page), grown_service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == WRITTEN, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_of_the_version_before_reads_tasks_in_lists(
    service_before: Service, page: Page, workplace: Path, path: str
) -> None:
    """It finds their new members among those that it does not know, and its updates keep them."""
    service = service_before
    home = service("POST", f"{PATH}/lists", ADA, {"name": "Home"}).json["id"]
    parent = service("POST", f"{PATH}/tasks", ADA, {"title": "Shop", "list_id": home}).json["id"]
    made = service("POST", f"{PATH}/tasks", ADA, {"title": "Buy stamps", "parent_id": parent})
    done = run_program(page, program_in(BEFORE, page), service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.replace(home, "the list") == READ_BEFORE, done.stderr
    left = service("GET", f"{PATH}/tasks/{made.json['id']}", ADA).json
    kept = {name: made.json[name] for name in ("list_id", "parent_id", "position")}
    assert {name: left[name] for name in kept} == kept == kept | {"parent_id": parent}
