"""The watch on what must never be told: a canary in a log or an error answer fails the test.

A pytest plugin. It reads every record that is logged in process, every error
answer of a Flask application, and what `tests.processes` hands it: each line
that a process prints, and each error answer that one gives.
"""

import logging
import re
from collections.abc import Iterator
from threading import Lock
from typing import Any

import pytest
from flask import Flask, Response, request, request_finished
from tests.secret_values import DATABASE_PASSWORD, SECRET

from taskservice.logs import SERVICE_LOGGER, Formatter

# An export prints members of tasks; an error may say how a value is written.
_NO_EXPORT = r'(?<!"recurrence":")(?<!"time_zone":")'

CANARIES = {
    "the secret": re.escape(SECRET),
    "a token": r"eyJ[\w-]{8,}\.[\w-]+",
    "a title or a description": r"Buy(?: |%20|\+)(?:oat(?: |%20|\+))?(?:milk|bread)|Two liters",
    "the name of a list": "Groceries",
    "a recurrence": rf"{_NO_EXPORT}(?<!with )(?<!such as )FREQ=(?:DAI|WEEK|MONTH|YEAR)LY",
    "a time zone": rf"{_NO_EXPORT}(?<!such as )Europe/Berlin",
    "the database's password": re.escape(DATABASE_PASSWORD),
    "a database address": "|".join(
        (
            r"postgres(?:ql)?(?:\+\w+)?://[^\s/]*@",
            r"connection to server at",
            r"\bhost(?:addr)?\s*=\s*[^\s,]+\s+(?:port|user)\s*=",
            r"\b(?:dbname|database)=\S",
        )
    ),
}
_CANARY = re.compile("|".join(f"({pattern})" for pattern in CANARIES.values()))


class Watch:
    """Looks at text for canaries, and keeps what it finds until somebody takes it."""

    def __init__(self) -> None:
        self._finds: list[str] = []
        self._lock = Lock()

    def look(self, where: str, text: str) -> None:
        """Remember each canary in `text`, which stood at `where`."""
        for match in _CANARY.finditer(text):
            self.tell(list(CANARIES)[(match.lastindex or 1) - 1], where, text)

    def tell(self, what: str, where: str, text: str) -> None:
        """Remember that `what` stood at `where`, in `text`."""
        with self._lock:
            self._finds.append(f"{what} in {where}: {text.strip()}")

    def take(self) -> list[str]:
        """Return what was found since the last time."""
        with self._lock:
            finds, self._finds = self._finds, []
        return finds


WATCH = Watch()


class Listener(logging.Handler):
    """Shows a watch every record, as the service would write it."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch
        self.setFormatter(Formatter("json"))

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one record."""
        self._watch.look(f"the log of {record.name}", self.format(record))


def look_at_answer(watch: Watch, where: str, status: int, headers: Any, body: bytes) -> None:
    """Look at an error answer."""
    text = f"{dict(headers)} {body.decode(errors='backslashreplace')}"
    watch.look(f"the {status} to {where}", text)


def on_answer(_: Flask, response: Response, **__: object) -> None:
    """Look at an answer of an application in process, where it is an error."""
    if response.status_code >= 400:
        where = f"{request.method} {request.path}"
        look_at_answer(WATCH, where, response.status_code, response.headers, response.get_data())


LISTENER = Listener(WATCH)


def pytest_configure() -> None:
    """Begin to watch."""
    request_finished.connect(on_answer)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Listen to the log before anybody adds to a record, whatever a test before has set up."""
    root = logging.getLogger()
    root.handlers[:] = [LISTENER, *(each for each in root.handlers if each is not LISTENER)]
    logging.getLogger(SERVICE_LOGGER).setLevel(logging.DEBUG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Fail the test in which a canary was found, once all that it started has ended."""
    yield
    if finds := WATCH.take():
        pytest.fail("\n".join(["what must never be told was told:", *finds]), pytrace=False)
