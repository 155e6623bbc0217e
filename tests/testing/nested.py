"""Running pytest on something, and hearing what became of each test."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tests.parent_death import dying_with_the_tests
from tests.processes import environment

SECONDS = 110


class Report(NamedTuple):
    """What became of tests, in their order: name, and passed, failed, error or skipped."""

    found: list[tuple[str, str]]
    text: str

    @property
    def counts(self) -> Counter[str]:
        return Counter(outcome for _, outcome in self.found)

    def named(self, outcome: str) -> set[str]:
        """Return the names of the tests, with their parameters, of which that became."""
        return {name for name, became in self.found if became == outcome}


def run_pytest(folder: Path, report: Path, *arguments: str) -> Report:
    """Run pytest in `folder`, with warnings as errors; `report` is a file to be written."""
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
        timeout=SECONDS,
        preexec_fn=dying_with_the_tests,
    )
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314
    return Report([(case.attrib["name"], outcome(case)) for case in cases], ended.stdout)


def outcome(case: ElementTree.Element) -> str:
    """Return what became of a test."""
    told = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
    return {"failure": "failed"}.get(told[0], told[0]) if told else "passed"
