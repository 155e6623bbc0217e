"""The page about adapters does what it says: its adapter keeps the contract, and serves."""

import sys
from collections import Counter
from math import prod
from pathlib import Path

import pytest
from tests.http_callers import token_of
from tests.pages import DOCS, files
from tests.processes import running
from tests.support import SECRET
from tests.testing.nested import run_pytest

from taskservice.testing.contract import TaskServiceContract

PAGE = (DOCS / "adapters.md").read_text()
TEN_LINES = 10


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what a reader takes from the page."""
    folder = tmp_path / "place"
    folder.mkdir()
    for name, code in files(PAGE).items():
        (folder / name).write_text(code)
    return folder


def promises(contract: type) -> Counter[str]:
    """Return the names of all tests of a class, each with how often it runs on one adapter."""
    tests = {name: getattr(contract, name) for name in dir(contract) if name.startswith("test_")}
    return Counter(
        {
            name: prod(
                len(mark.args[1])
                for mark in getattr(test, "pytestmark", [])
                if mark.name == "parametrize"
            )
            for name, test in tests.items()
        }
    )


def test_the_adapter_of_the_page_keeps_every_promise(place: Path) -> None:
    """Each test of the contract passes as often as it is to run, and none is skipped."""
    report = run_pytest(place, place / "report.xml", "test_folder_tasks.py")
    assert set(report.counts) == {"passed"}, report.text
    assert Counter(name.split("[")[0] for name, _ in report.found) == promises(TaskServiceContract)


def test_ten_lines_prove_it() -> None:
    """No more is asked of whoever brings an adapter."""
    assert len(files(PAGE)["test_folder_tasks.py"].splitlines()) <= TEN_LINES


def test_what_the_contract_cannot_see_is_tested(place: Path) -> None:
    """The tests that the page adds for durability and failures pass."""
    report = run_pytest(place, place / "report.xml", "test_folder.py")
    assert report.counts == {"passed": 2}, report.text


def test_the_fixtures_do_what_the_page_says(place: Path) -> None:
    """The tests of a client pass, with the plugin that its conftest loads."""
    report = run_pytest(place, place / "report.xml", "test_client.py")
    assert report.counts == {"passed": 6}, report.text


def test_the_adapter_of_the_page_is_served(place: Path) -> None:
    """Two workers under gunicorn, and the tasks are there when they are started again."""
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0"]
    command += ["--workers", "2", "--threads", "8", "app:app"]
    tasks = "/api/tasks/ada/tasks"
    with running(command, place, TASKSERVICE_JWT_SECRET=SECRET) as service:
        made = [service("POST", tasks, token_of("ada"), {"title": "Buy milk"}) for _ in range(20)]
    with running(command, place, TASKSERVICE_JWT_SECRET=SECRET) as service:
        assert service("GET", tasks, token_of("ada")).json == [one.json for one in made[::-1]]
    assert f"gunicorn {' '.join(command[5:])}\n" in PAGE
