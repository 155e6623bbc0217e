"""Builds histories for the tests of the checker."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from tests.faults.checker import check
from tests.faults.history import ASKED, SNAPSHOTS, operations
from tests.faults.seen import Log, LoggedChange, Seen
from tests.faults.timelines import FinalState

TASK, OTHER = "the task", "the other task"


class HistoryBuilder:
    """Tells a history event by event; what is not answered has an unknown outcome."""

    def __init__(self) -> None:
        self._time = itertools.count()
        self._lines: list[str] = []
        self.idempotency_records: dict[tuple[str, str], str | None] = {}
        self._log: Log | None = None

    def invoke(self, name: str, kind: str, **asked: Any) -> None:
        """Begin an operation on the task, unless it is a creation or a list."""
        usual: dict[str, Any] = {"kind": kind, "user": "ada"}
        if kind not in {"create", "create_list", "list", "lists", "page", *SNAPSHOTS}:
            usual["task"] = TASK
        if kind in {"create", "create_list", "update"}:
            usual["title"] = name
        if kind in {"create", "create_list"}:
            usual["completed"] = False
        self._note("invoke", name, **usual | asked)

    def answer(self, name: str, *seen: Seen, outcome: str = "ok", **response: Any) -> None:
        """End it."""
        status = {"ok": 200, "fail": 503, "info": 0}[outcome]
        self._note(outcome, name, **{"status": status, "seen": seen, **response})

    def perform(
        self, name: str, kind: str, *seen: Seen, outcome: str = "ok", **response: Any
    ) -> None:
        """Ask, and hear."""
        asked = {key: response.pop(key) for key in ASKED if key in response}
        self.invoke(name, kind, **asked)
        self.answer(name, *seen, outcome=outcome, **response)

    def log(
        self,
        *changes: tuple[str, str, int],
        numbers: Sequence[int] | None = None,
        head: int | None = None,
    ) -> None:
        """Have the log in the end: the type, the task and the version of each change, in order."""
        numbered = zip(numbers or itertools.count(1), changes, strict=False)
        logged = tuple(LoggedChange("ada", number, *one) for number, one in numbered)
        self._log = Log(logged, {"ada": len(changes) if head is None else head})

    def kinds(self, *rows: Seen, **views: tuple[Seen, ...]) -> set[str]:
        """Return the kinds of violation, where `rows` are left."""
        tasks = tuple(row for row in rows if row.type == "task")
        end = FinalState(
            rows,
            views.get("listed", rows),
            views.get("got", tasks),
            self.idempotency_records,
            self._log,
            [("ada", views.get("copied", rows))],
        )
        return {violation.kind for violation in check(operations(self._lines), end)}

    def _note(self, what: str, name: str, **event: Any) -> None:
        line = {"time": next(self._time), "type": what, "name": name, **event}
        self._lines.append(json.dumps(line))


def seen(version: int = 1, title: str = "make", **fields: Any) -> Seen:
    """Return the task as it was made by the operation `make`, but for what is given."""
    usual: dict[str, Any] = {"task": TASK, "user": "ada", "completed": False, "origin": "make"}
    return Seen(version=version, title=title, **{**usual, **fields})
