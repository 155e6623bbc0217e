"""Generated clients use lists, sub-tasks, tasks that recur, the trash and batches, and sync.

Those of the version before recurrence read such tasks.

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

BATCHES = Path(__file__).with_name("batches")
"""A program for each client that runs batches, renames a label, and deletes a list in steps."""

BEFORE = Path(__file__).with_name("before")
"""The document of the version before tasks recurred, and a program for each client."""

LISTS = Path(__file__).with_name("lists")
"""A program for each client that reads and writes lists and sub-tasks."""

RECURRENCE = Path(__file__).with_name("recurrence")
"""A program for each client that closes and reopens a task that recurs, and reads its series."""

SYNC = Path(__file__).with_name("sync")
"""A program for each client that reads a first sync, and the changes after it."""

TRASH = Path(__file__).with_name("trash")
"""A program for each client that deletes, restores and purges, and reads a history and undoes."""

BATCHED = """\
atomic: True, 201, 201, 200, True, "2", True
each: 412, /problems/precondition-failed, /commands/0, 204, True
tried: False, 204, True
refused: 412, /commands/1
renamed: travel, 1, 1, False
step: 1, False
"""
READ_BEFORE = """\
listed: Buy stamps, FREQ=DAILY
got: Buy stamps, FREQ=DAILY
patched: Buy milk, FREQ=DAILY
updated: Buy bread, FREQ=DAILY
completed: Buy bread, FREQ=DAILY
"""
RECURRED = """\
created: FREQ=WEEKLY;BYDAY=SU, schedule, 2096-04-01
completed: completed, FREQ=WEEKLY;BYDAY=SU
successor: Water the plants, 2096-04-08, True
series: 2096-04-01, 2096-04-08
reopened: needs-action, True
series: 2096-04-01
ended: True, True
"""
SYNCED = """\
lists: list Food, more True, full True
tasks: task Milk, task Bread, more True, full True
in step: nothing, more False, full False
cut: task Oat milk, more True, full False
rest: task gone True, more False, full False
refused: 400 since
"""
UNDONE = """\
trash: Oat milk
kept: True, True
restored: Oat milk, 3
history: task.restored, task.removed, task.changed, task.created
before: Milk, True
undone: Milk, 4
refused: 409 /title
summary: Europe/Berlin, 1, 1, True
removed: Soy milk, True
purged: nothing
emptied: 1, False
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
def test_a_client_closes_and_reopens_a_task_that_recurs(
    grown_service: Service, page: Page, workplace: Path, path: str
) -> None:
    """It reads the successor and the series, and ends it."""
    done = run_program(page, program_in(RECURRENCE, page), grown_service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == RECURRED, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_syncs(grown_service: Service, page: Page, workplace: Path, path: str) -> None:
    """It reads lists and tasks, those that are gone, a page that is cut, and an altered token."""
    done = run_program(page, program_in(SYNC, page), grown_service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == SYNCED, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_deletes_restores_and_undoes(
    grown_service: Service, page: Page, workplace: Path, path: str
) -> None:
    """It reads the trash, a history and a summary, and an undo that is in the way."""
    done = run_program(page, program_in(TRASH, page), grown_service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == UNDONE, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_runs_batches(
    grown_service: Service, page: Page, workplace: Path, path: str
) -> None:
    """It creates a task and one below it, reads a problem of one command, and tries a batch.

    It renames a label, and deletes a list in steps.
    """
    done = run_program(page, program_in(BATCHES, page), grown_service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == BATCHED, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_client_of_the_version_before_reads_a_task_that_recurs(
    service_before: Service, page: Page, workplace: Path, path: str
) -> None:
    """It finds its new members among those that it does not know, and its updates keep them.

    It closes the task, which makes a successor.
    """
    service, tasks = service_before, f"{PATH}/tasks"
    new = {"title": "Buy stamps", "due": "2096-04-01", "recurrence": "FREQ=DAILY"}
    made = service("POST", tasks, ADA, new).json
    done = run_program(page, program_in(BEFORE, page), service, workplace, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == READ_BEFORE, done.stderr
    left = service("GET", f"{tasks}/{made['id']}", ADA).json
    kept = {name: made[name] for name in ("recurrence", "repeats_from", "occurrence", "series_id")}
    assert {name: left[name] for name in kept} == kept
    following = service("GET", f"{tasks}/{left['next_id']}", ADA).json
    assert (following["title"], following["due"]) == ("Buy bread", "2096-04-02")
