"""Which tests call which function of a module: those meet its mutants first."""

import ast
import builtins
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from tests.mutation.operators import nodes_by_function

CALLED = "called_of_mutated"
"""The name of a set in `builtins`, to which an instrumented function adds its own when called."""

Coverage = Mapping[str, list[str]]
"""The tests that call a function, by `module: function`, the quickest first."""


def instrumented(module: str, source: str) -> str:
    """Return `source` with functions that tell when they are called."""
    tree = ast.parse(source)
    for node, place in list(nodes_by_function(tree)):
        if isinstance(node, ast.FunctionDef):
            logged = (
                f"getattr(__import__('builtins'), {CALLED!r}, set()).add({f'{module}: {place}'!r})"
            )
            node.body[_docstring(node) : _docstring(node)] = ast.parse(logged).body
    return ast.unparse(ast.fix_missing_locations(tree))


def _docstring(node: ast.FunctionDef) -> int:
    return int(ast.get_docstring(node) is not None)


class Recorder:
    """A pytest plugin: writes which functions each test has called, and how long it took."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._called: dict[str, set[str]] = defaultdict(set)
        self._seconds: dict[str, float] = defaultdict(float)
        self._now: set[str] = set()
        setattr(builtins, CALLED, self._now)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what was called in a phase of a test, and for how long."""
        self._seconds[report.nodeid] += report.duration
        self._called[report.nodeid] |= self._now
        self._now.clear()

    def pytest_sessionfinish(self) -> None:
        """Write the tests by function."""
        found: dict[str, list[str]] = defaultdict(list)
        for test in sorted(self._seconds, key=self._seconds.__getitem__):
            for function in self._called[test]:
                found[function].append(test)
        self._file.write_text(json.dumps(found))


def read_coverage(file: Path) -> Coverage:
    """Return what a `Recorder` wrote."""
    found: dict[str, list[str]] = json.loads(file.read_text())
    return found


def covering_tests(
    coverage: Coverage, function: str, tests: Iterable[str], limit: int
) -> list[str]:
    """Return up to `limit` of those that call `function` and stand in the files `tests`."""
    files = set(tests)
    calling = (test for test in coverage.get(function, []) if test.partition("::")[0] in files)
    return [test for test, _ in zip(calling, range(limit), strict=False)]
