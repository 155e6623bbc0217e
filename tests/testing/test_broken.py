"""The contract finds bugs of adapters: each named bug fails the named tests."""

import re
from itertools import chain
from typing import Any

import pytest
from tests.processes import ROOT
from tests.testing.broken import FOUND_BY
from tests.testing.nested import Report, run_pytest

from taskservice.adapters.memory import InMemoryStorage


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Run the named tests on the adapters that must fail them, and on one without a bug."""
    named = sorted(set(chain.from_iterable(FOUND_BY.values())))
    correct = f"{InMemoryStorage.__name__} and ({' or '.join(named)})"
    broken = [f"{bug.__name__} and ({' or '.join(tests)})" for bug, tests in FOUND_BY.items()]
    chosen = " or ".join(f"({one})" for one in [correct, *broken])
    return run_pytest(
        ROOT,
        tmp_path_factory.mktemp("report") / "report.xml",
        *("tests/testing/broken.py", "-k", chosen, "--hypothesis-profile", "no-shrinking"),
    )


def outcomes(report: Report, test: str, adapter: type[Any]) -> set[str]:
    """Return the outcomes of a test on an adapter, with any other parameters."""
    return {
        case.outcome
        for case in report.cases
        if case.name.startswith(f"{test}[") and adapter.__name__ in re.split(r"[][-]", case.name)
    }


@pytest.mark.parametrize(
    ("bug", "test"),
    [(bug, test) for bug, tests in FOUND_BY.items() for test in tests],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_finds(report: Report, bug: type[Any], test: str) -> None:
    """The test that is named for the bug fails on it, and passes without it."""
    assert "failed" in outcomes(report, test, bug)
    assert outcomes(report, test, InMemoryStorage) == {"passed"}
