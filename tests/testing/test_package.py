"""The package `taskservice.testing`: it explains failures and names skipped guarantees."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.processes import run
from tests.testing.nested import Report, run_pytest

from taskservice.core.filters import filters_of
from taskservice.core.task_query import TaskQuery
from taskservice.testing.contract import OwnerDataContract, TaskServiceContract

MODULES = {
    "test_no_clock": """
import pytest
from taskservice.testing import InMemoryStorage
from taskservice.testing.contract import OneOwner, Queries

class TestMine(OneOwner, Queries):
    takes_clock = False

    @pytest.fixture
    def open_workspace(self):
        return InMemoryStorage().open_workspace
""",
    "test_two": """
import pytest
from taskservice.testing import InMemoryStorage
from taskservice.testing.contract import Placement

class TestOne(Placement):
    @pytest.fixture
    def open_workspace(self, clock):
        return InMemoryStorage(clock).open_workspace

class TestAnother(TestOne):
    pass
""",
    "test_forgetful": """
import pytest
from taskservice.testing import InMemoryStorage
from taskservice.testing.contract import Listing

class TestForgetful(Listing):
    @pytest.fixture
    def open_workspace(self):
        return lambda owner, atomic: InMemoryStorage().open_workspace(owner, atomic=atomic)
""",
    "test_without_plugin": "def test_it(open_workspace): pass",
}
NEEDS_A_CLOCK = {
    "test_a_change_is_applied_and_stored",
    "test_any_year_is_stored[1970]",
    "test_any_year_is_stored[2026]",
    "test_any_year_is_stored[2100]",
    "test_a_query_lists_what_it_specifies",
    *(f"test_each_filter_lists_what_it_admits[{name}]" for name in filters_of(TaskQuery)),
    "test_updated_at_increases_if_the_clock_goes_back",
    "test_times_are_exact_to_the_microsecond",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tests as a user of the package writes them."""
    folder = tmp_path_factory.mktemp("tests")
    for name, code in MODULES.items():
        (folder / f"{name}.py").write_text(code)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    """The outcomes of these tests."""
    return run_pytest(folder, folder / "report.xml", "-W", "always")


def test_tests_that_need_a_clock_are_skipped_with_a_warning(report: Report) -> None:
    """The warning says which guarantee is untested; all other tests run."""
    assert report.of("test_no_clock").named("skipped") == NEEDS_A_CLOCK
    assert set(report.of("test_no_clock").counts) == {"passed", "skipped"}
    warning = "UntestedGuarantee: NOT TESTED, since the adapter takes no clock: "
    assert report.text.count(warning) == len(NEEDS_A_CLOCK)
    assert f"{warning}test_any_year_is_stored[1970]: A time in the distant past" in report.text


def test_a_skipped_guarantee_is_an_error_if_warnings_are(folder: Path) -> None:
    """With `-W error` the warning has to be ignored explicitly."""
    chosen = (
        "test_no_clock.py",
        "-k",
        "test_any_year_is_stored or test_an_invalid_task_is_not_stored",
    )
    report = run_pytest(folder, folder / "errors.xml", *chosen)
    assert report.counts == {"error": 3, "passed": 1}


def test_two_adapters_are_tested_in_one_run(report: Report) -> None:
    """Hypothesis does not confuse them."""
    assert set(report.of("test_two").counts) == {"passed"}, report.text


def test_a_failure_of_the_contract_is_explained(report: Report) -> None:
    """Assertions are rewritten, so they show the compared values."""
    assert "test_a_list_is_newest_first" in report.of("test_forgetful").named("failed")
    assert "At index 0 diff: [] != [Task(id=UUID(" in report.text


def test_no_fixture_is_loaded_without_the_plugin(report: Report) -> None:
    """Installing the service adds no fixtures to the tests of its users."""
    assert report.of("test_without_plugin").counts == {"error": 1}
    assert "fixture 'open_workspace' not found" in report.text


@pytest.mark.parametrize("contract", [TaskServiceContract, OwnerDataContract])
def test_no_test_of_the_contract_hides_another(contract: type) -> None:
    """No two parts of a contract have a test of the same name, since only one would run."""
    names = Counter(name for part in contract.__mro__ for name in vars(part))
    assert [name for name in names if name.startswith("test_") and names[name] > 1] == []


@pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
def test_a_missing_package_is_named_with_its_extra(tmp_path: Path, missing: str) -> None:
    """An import without the extra raises one clear message."""
    code = f"import sys; sys.modules[{missing!r}] = None; import taskservice.testing"
    last_line = run([sys.executable, "-c", code], tmp_path).stderr.splitlines()[-1]
    expected = f"taskservice.testing needs {missing}: pip install 'taskservice[testing]'"
    assert last_line == f"ImportError: {expected}"


def test_the_service_never_imports_pytest(tmp_path: Path) -> None:
    """The service and its commands import no module for tests."""
    code = (
        "import sys, taskservice, taskservice.app, taskservice.cli; "
        "print({'pytest', 'hypothesis', 'taskservice.testing'} & set(sys.modules))"
    )
    assert run([sys.executable, "-c", code], tmp_path).stdout == "set()\n"
