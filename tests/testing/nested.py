"""Runs pytest in a subprocess, and parses its report."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tests.parent_death_signal import die_with_parent
from tests.processes import environment

TIMEOUT = 110


class Case(NamedTuple):
    """A test: its module, its name with its parameters, and its outcome."""

    module: str
    name: str
    outcome: str


class Report(NamedTuple):
    """The outcomes of tests, in their order: passed, failed, error or skipped."""

    cases: list[Case]
    text: str

    @property
    def counts(self) -> Counter[str]:
        return Counter(case.outcome for case in self.cases)

    def of(self, module: str) -> "Report":
        """Return the outcomes of the tests of one module."""
        return Report([case for case in self.cases if case.module == module], self.text)

    def named(self, outcome: str) -> set[str]:
        """Return the names of the tests with this outcome."""
        return {case.name for case in self.cases if case.outcome == outcome}


def run_pytest(folder: Path, report: Path, *arguments: str) -> Report:
    """Run pytest in `folder`, with warnings as errors; write its report to the file `report`."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"),
            *(f"--junitxml={report}", *arguments),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
        preexec_fn=die_with_parent,
    )
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    found = ElementTree.parse(report).iter("testcase")  # noqa: S314
    return Report([case_of(element) for element in found], ended.stdout)


def case_of(element: ElementTree.Element) -> Case:
    """Parse a test case of JUnit's XML."""
    tags = [child.tag for child in element if child.tag in {"failure", "error", "skipped"}]
    outcome = {"failure": "failed"}.get(tags[0], tags[0]) if tags else "passed"
    return Case(element.attrib["classname"].split(".")[0], element.attrib["name"], outcome)
