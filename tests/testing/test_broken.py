"""The contract notices what an adapter does wrong: bugs that were put into one, each by name."""

import re
from itertools import chain
from typing import Any

import pytest
from tests.processes import ROOT
from tests.testing.broken import NOTICED_BY
from tests.testing.nested import Report, run_pytest

from taskservice.adapters.memory import InMemoryTasks


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What became of the named tests on the homes that must turn them red, and on a sound one."""
    named = sorted(set(chain.from_iterable(NOTICED_BY.values())))
    sound = f"{InMemoryTasks.__name__} and ({' or '.join(named)})"
    broken = [f"{bug.__name__} and ({' or '.join(tests)})" for bug, tests in NOTICED_BY.items()]
    chosen = " or ".join(f"({one})" for one in [sound, *broken])
    return run_pytest(
        ROOT,
        tmp_path_factory.mktemp("report") / "report.xml",
        *("tests/testing/broken.py", "-k", chosen, "--hypothesis-profile", "no-shrinking"),
    )


def outcomes(report: Report, test: str, home: type[Any]) -> set[str]:
    """Return what became of a test on a home, with whichever other parameters."""
    return {
        case.outcome
        for case in report.cases
        if case.name.startswith(f"{test}[") and home.__name__ in re.split(r"[][-]", case.name)
    }


@pytest.mark.parametrize(
    ("bug", "test"),
    [(bug, test) for bug, tests in NOTICED_BY.items() for test in tests],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_notices(report: Report, bug: type[Any], test: str) -> None:
    """The test that is named for the bug fails on it, and passes on a home without."""
    assert "failed" in outcomes(report, test, bug)
    assert outcomes(report, test, InMemoryTasks) == {"passed"}
