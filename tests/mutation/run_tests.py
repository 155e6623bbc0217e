"""How the tests are run over a changed service, in a process of its own."""

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.mutation.coverage import Recorder, instrumented
from tests.mutation.targets import PACKAGE, ROOT, TESTS, Job, sources
from tests.postgres import GIVEN

SECONDS = 60
OPTIONS = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=no-shrinking"]


def record_coverage(only: Sequence[str], server: str, file: Path) -> None:
    """Run the tests of the chosen modules as they are in this process; write who calls what."""
    os.environ[GIVEN] = server
    connection = {module: instrumented(module, source) for module, source in sources(only).items()}
    tests = dict.fromkeys(chain.from_iterable(TESTS[module] for module in connection))
    with patched_modules(connection):
        sys.exit(
            pytest.main([*OPTIONS, f"--timeout={SECONDS}", *tests], [InOrder(), Recorder(file)])
        )


def run_tests(job: Job, first: list[str], server: str, connection: Connection) -> None:
    """Run the tests in this process, and end it: with 0 where they notice nothing.

    The test that notices is told to `connection`.
    """
    os.environ[GIVEN] = server
    options = [*OPTIONS, "-x", f"--timeout={SECONDS}", "--tb=no"]
    plugins = [InOrder(), FailureReporter(connection)]
    with patched_modules({job.module: job.source}), silenced_output():
        if first and pytest.main([*options, *first], plugins) == pytest.ExitCode.TESTS_FAILED:
            sys.exit(1)
        sys.exit(pytest.main([*options, *TESTS[job.module]], plugins))


class FailureReporter:
    """A pytest plugin: tells which test fails first, or which file cannot be imported."""

    def __init__(self, connection: Connection) -> None:
        self._lines = connection

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell of a test."""
        if report.failed:
            self._lines.send(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell of a file."""
        if report.failed:
            self._lines.send(report.nodeid)


@contextmanager
def patched_modules(changed: Mapping[str, str]) -> Iterator[None]:
    """Have this process, and those that it starts, import the service with modules `changed`."""
    with tempfile.TemporaryDirectory(prefix="taskservice-mutant-") as folder:
        source = Path(folder, "src")
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        for module, text in changed.items():
            Path(folder, PACKAGE, f"{module}.py").write_text(text)
        sys.path.insert(0, str(source))
        os.environ["PYTHONPATH"] = str(source)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        os.chdir(ROOT)
        yield


class InOrder:
    """Has the tests run in the order that `TESTS` names them, but those that need no database."""

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Leave out the tests on the in-memory adapter, which say nothing of another one."""
        items[:] = [item for item in items if "memory" not in _drawn(item)]


def _drawn(item: pytest.Function) -> set[str]:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {value for value in parameters if isinstance(value, str)}


def warm_up() -> None:
    """Import what the tests import, for every run to inherit; service and tests go again."""
    with silenced_output():
        pytest.main([*OPTIONS, "--collect-only", *chain(*TESTS.values())])
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if name != "__main__" and {ROOT / "src", ROOT / "tests"} & set(file.parents):
            del sys.modules[name]
    logging.getLogger().handlers.clear()


@contextmanager
def silenced_output() -> Iterator[None]:
    """Print nothing."""
    with Path(os.devnull).open("w") as void, redirect_stdout(void), redirect_stderr(void):
        yield
