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
from tests.testing.nested import Report, run_pytest

from taskservice.testing.contract import TaskServiceContract

PAGE = (DOCS / "adapters.md").read_text()
TEN_LINES = 10


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a reader takes from the page."""
    folder = tmp_path_factory.mktemp("place")
    for name, code in files(PAGE).items():
        (folder / name).write_text(code)
    return folder


@pytest.fixture(scope="module")
def report(place: Path) -> Report:
    """What became of the tests that the page has its reader run."""
    return run_pytest(place, place / "report.xml")


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


def test_the_adapter_of_the_page_keeps_every_promise(report: Report) -> None:
    """Each test of the contract passes as often as it is to run, and none is skipped."""
    proved = report.of("test_folder_tasks")
    assert set(proved.counts) == {"passed"}, report.text
    assert Counter(case.name.split("[")[0] for case in proved.cases) == promises(
        TaskServiceContract
    )


def test_ten_lines_prove_it() -> None:
    """No more is asked of whoever brings an adapter."""
    assert len(files(PAGE)["test_folder_tasks.py"].splitlines()) <= TEN_LINES


@pytest.mark.parametrize(("module", "count"), [("test_folder", 2), ("test_client", 6)])
def test_the_other_tests_of_the_page_pass(report: Report, module: str, count: int) -> None:
    """Those of durability and failures; those of a client, with the fixtures of the plugin."""
    assert report.of(module).counts == {"passed": count}, report.text


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
