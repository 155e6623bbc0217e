"""Watches for what must not leak, through the whole suite: in logs, and in the bodies of errors.

The canaries are planted where the tests keep what is secret: the signing
secret, every token, the titles and descriptions of tasks, and the password
in the address of each database.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask
import pytest
from tests.support import PASSWORD, SECRET

CONTENT = ["Buy milk", "Buy oat milk", "Two litres", "Bob's secret", "A secret of Ada"]
"""What the tests write into tasks."""

_canary = re.compile(
    "|".join(
        [
            r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.?[\w-]*",
            *(re.escape(one) for one in (SECRET, PASSWORD, *CONTENT)),
        ]
    )
)
# What `taskservice serve` prints for a person to paste.
_welcome = re.compile(r"^  (TOKEN=|curl |  -H ).*$", re.MULTILINE)


class Leaks(logging.Handler):
    """Gathers what leaked in this process: from every log record, and every error answer."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.found: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a record whole: message, fields and traceback."""
        self.look("a log record", f"{self.format(record)} {vars(record)}")

    def answered(self, _: Any, response: flask.Response, **__: Any) -> None:
        """Look at an answer that tells of an error."""
        if response.status_code >= 400 and not response.direct_passthrough:
            self.look(f"an answer of {response.status_code}", response.get_data(as_text=True))

    def look(self, where: str, text: str) -> None:
        """Note what `text` should not show."""
        self.found += [f"{where} shows {leak[0]!r}: {text}" for leak in _canary.finditer(text)]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the logs and the applications of this process."""
        ours, root = logging.getLogger("taskservice"), logging.getLogger()
        level = ours.level
        ours.setLevel(logging.DEBUG)
        root.addHandler(self)
        with flask.request_finished.connected_to(self.answered):
            yield
        root.removeHandler(self)
        ours.setLevel(level)


def require_none_in_log(text: str) -> None:
    """Assert that what a process printed shows no canary, but for what it prints to be pasted."""
    require_none("the log of a process", _welcome.sub("", text))


def require_none(where: str, text: str) -> None:
    """Assert that `text` shows no canary."""
    leaks = Leaks()
    leaks.look(where, text)
    assert not leaks.found, "\n".join(leaks.found)


@pytest.fixture(scope="session")
def leaks() -> Iterator[Leaks]:
    """The watch over the whole session."""
    leaks = Leaks()
    with leaks.watching():
        yield leaks


@pytest.fixture(autouse=True)
def nothing_leaked(leaks: Leaks) -> Iterator[None]:
    """Fail the test in which something leaked."""
    yield
    found, leaks.found = leaks.found, []
    assert not found, "\n".join(found)
