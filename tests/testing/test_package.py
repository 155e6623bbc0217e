"""What comes with the package: it explains failures, names what it cannot test, and stays away."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.processes import run
from tests.testing.nested import Report, run_pytest

from taskservice.testing.contract import OwnerDataContract, TaskServiceContract

MODULES = {
    "test_no_clock": """
import pytest
from taskservice.testing import InMemoryTasks
from taskservice.testing.contract import TaskServiceContract

class TestMine(TaskServiceContract):
    takes_clock = False

    @pytest.fixture
    def open_tasks(self):
        return InMemoryTasks().open_tasks
""",
    "test_two": """
import pytest
from taskservice.testing import InMemoryTasks
from taskservice.testing.contract import Queries

class TestOne(Queries):
    @pytest.fixture
    def open_tasks(self, clock):
        return InMemoryTasks(clock).open_tasks

class TestAnother(TestOne):
    pass
""",
    "test_forgetful": """
import pytest
from taskservice.testing import InMemoryTasks
from taskservice.testing.contract import Listing

class TestForgetful(Listing):
    @pytest.fixture
    def open_tasks(self):
        return lambda owner: InMemoryTasks().open_tasks(owner)
""",
    "test_without_plugin": "def test_it(open_tasks): pass",
}
NEEDS_A_CLOCK = {
    "test_a_change_applies_the_verb_and_is_kept",
    "test_any_year_is_kept[1970]",
    "test_any_year_is_kept[2026]",
    "test_any_year_is_kept[2100]",
    "test_every_adapter_lists_what_the_query_says",
    "test_time_of_a_task_moves_forward_though_the_clock_steps_back",
    "test_times_are_exact_to_the_microsecond",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tests as somebody else might have written them."""
    folder = tmp_path_factory.mktemp("place")
    for name, code in MODULES.items():
        (folder / f"{name}.py").write_text(code)
    return folder


@pytest.fixture(scope="module")
def report(place: Path) -> Report:
    """What became of them."""
    return run_pytest(place, place / "report.xml", "-W", "always")


def test_what_an_adapter_without_a_clock_leaves_untested_is_told(report: Report) -> None:
    """What needs a clock is skipped, each with a warning that says the promise; the rest runs."""
    assert report.of("test_no_clock").named("skipped") == NEEDS_A_CLOCK
    assert set(report.of("test_no_clock").counts) == {"passed", "skipped"}
    told = "UntestedPromise: NOT TESTED, as the adapter takes no clock: "
    assert report.text.count(told) == len(NEEDS_A_CLOCK)
    assert f"{told}test_any_year_is_kept[1970]: A moment far from now is stored" in report.text


def test_where_warnings_are_errors_an_untested_promise_is_one(place: Path) -> None:
    """Whoever wants no warnings has to say that some promises are not tested."""
    chosen = ("test_no_clock.py", "-k", "test_any_year_is_kept or test_a_bad_task_is_not_stored")
    report = run_pytest(place, place / "errors.xml", *chosen)
    assert report.counts == {"error": 3, "passed": 1}


def test_two_adapters_are_proved_in_one_run(report: Report) -> None:
    """Hypothesis does not take the second for the first."""
    assert set(report.of("test_two").counts) == {"passed"}, report.text


def test_a_failure_of_the_contract_is_explained(report: Report) -> None:
    """As one of a test of one's own: with what was compared."""
    assert "test_a_list_is_newest_first" in report.of("test_forgetful").named("failed")
    assert "At index 0 diff: [] != [Task(id=UUID(" in report.text


def test_nothing_is_loaded_where_nobody_asks_for_it(report: Report) -> None:
    """Whoever merely has the service installed finds no fixture of it in their tests."""
    assert report.of("test_without_plugin").counts == {"error": 1}
    assert "fixture 'open_tasks' not found" in report.text


@pytest.mark.parametrize("contract", [TaskServiceContract, OwnerDataContract])
def test_no_promise_hides_another(contract: type) -> None:
    """No two parts of a contract have a test of one name, of which only one would run."""
    names = Counter(name for part in contract.__mro__ for name in vars(part))
    assert [name for name in names if name.startswith("test_") and names[name] > 1] == []


@pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
def test_what_is_missing_is_named_with_the_extra(tmp_path: Path, missing: str) -> None:
    """An import without the extra ends in one clear message."""
    code = f"import sys; sys.modules[{missing!r}] = None; import taskservice.testing"
    told = run([sys.executable, "-c", code], tmp_path).stderr.splitlines()[-1]
    needed = f"taskservice.testing needs {missing}: pip install 'taskservice[testing]'"
    assert told == f"ImportError: {needed}"


def test_the_service_never_imports_pytest(tmp_path: Path) -> None:
    """Whatever a process of the service imports, nothing of the tests is among it."""
    code = (
        "import sys, taskservice, taskservice.app, taskservice.cli; "
        "print({'pytest', 'hypothesis', 'taskservice.testing'} & set(sys.modules))"
    )
    assert run([sys.executable, "-c", code], tmp_path).stdout == "set()\n"
