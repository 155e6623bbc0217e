"""The code of docs/adapters.md works: its adapter passes the contract, and serves."""

import sys
from collections import Counter
from math import prod
from pathlib import Path

import pytest
from tests.http_callers import token_of
from tests.markdown_code import DOCS, files
from tests.processes import running
from tests.secret_values import SECRET
from tests.testing.nested import Report, run_pytest

from taskservice.testing.contract import TaskServiceContract

PAGE = (DOCS / "adapters.md").read_text()
MAX_LINES = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("page")
    for name, code in files(PAGE).items():
        (folder / name).write_text(code)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    """The outcomes of the tests of the page."""
    return run_pytest(folder, folder / "report.xml")


def expected_runs(contract: type) -> Counter[str]:
    """Return the names of all tests of a class, and how often each runs on one adapter."""
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


def test_the_adapter_of_the_page_passes_the_contract(report: Report) -> None:
    """Every test of the contract runs with all its parameters, and none is skipped."""
    contract_report = report.of("test_folder_storage")
    assert set(contract_report.counts) == {"passed"}, report.text
    assert Counter(case.name.split("[")[0] for case in contract_report.cases) == expected_runs(
        TaskServiceContract
    )


def test_the_test_of_an_adapter_is_short() -> None:
    """The author of an adapter writes ten lines."""
    assert len(files(PAGE)["test_folder_storage.py"].splitlines()) <= MAX_LINES


@pytest.mark.parametrize(("module", "count"), [("test_folder", 2), ("test_client", 6)])
def test_the_other_tests_of_the_page_pass(report: Report, module: str, count: int) -> None:
    """Tests of durability and failures, and tests of a client with the fixtures of the plugin."""
    assert report.of(module).counts == {"passed": count}, report.text


def test_the_adapter_of_the_page_is_served(folder: Path) -> None:
    """Two gunicorn workers serve it, and the tasks are there after a restart."""
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0"]
    command += ["--workers", "2", "--threads", "8", "app:app"]
    tasks = "/api/tasks/ada/tasks"
    with running(command, folder, TASKSERVICE_JWT_SECRET=SECRET) as service:
        created = [
            service("POST", tasks, token_of("ada"), {"title": "Buy milk"}) for _ in range(20)
        ]
    with running(command, folder, TASKSERVICE_JWT_SECRET=SECRET) as service:
        assert service("GET", tasks, token_of("ada")).json == [task.json for task in created[::-1]]
    assert f"gunicorn {' '.join(command[5:])}\n" in PAGE
