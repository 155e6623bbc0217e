"""Builds histories for the tests of the checker."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from tests.faults.checker import check
from tests.faults.history import ASKED, SNAPSHOTS, ShownChange, operations
from tests.faults.seen import TRASHED, Log, LoggedChange, Seen, live
from tests.faults.timelines import LISTINGS, FinalState

WITHOUT_TASK = {"create", "create_list", "page", "purge_all", "batch", *LISTINGS, *SNAPSHOTS}
TASK, OTHER = "the task", "the other task"


class HistoryBuilder:
    """Tells a history event by event; what is not answered has an unknown outcome."""

    def __init__(self) -> None:
        self._time = itertools.count()
        self._lines: list[str] = []
        self.idempotency_records: dict[tuple[str, str], str | None] = {}
        self.histories: dict[str, list[ShownChange]] = {}
        self._log: Log | None = None

    def invoke(self, name: str, kind: str, **asked: Any) -> None:
        """Begin an operation on the task, unless it is a creation or a list."""
        usual: dict[str, Any] = {"kind": kind, "user": "ada"}
        if kind not in WITHOUT_TASK:
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
        names = (*ASKED, "fields")
        asked = {key: response.pop(key) for key in names if key in response}
        self.invoke(name, kind, **asked)
        self.answer(name, *seen, outcome=outcome, **response)

    def log(
        self,
        *changes: tuple[str, str, int, str],
        numbers: Sequence[int] | None = None,
        head: int | None = None,
    ) -> None:
        """Have the log in the end: type, task, version and maker of each change, in order."""
        numbered = zip(numbers or itertools.count(1), changes, strict=False)
        purged = {task for kind, task, *_ in changes if kind == "task.purged"}
        logged = tuple(
            LoggedChange("ada", number, *one, None if one[1] in purged else _previous(one[0]))
            for number, one in numbered
        )
        self._log = Log(logged, {"ada": len(changes) if head is None else head})

    def set_previous(self, number: int, previous: dict[str, Any] | None) -> None:
        """Have other previous values in the log."""
        assert self._log is not None
        changes = tuple(
            one._replace(previous=previous) if one.sequence == number else one
            for one in self._log.changes
        )
        self._log = self._log._replace(changes=changes)

    def kinds(self, *rows: Seen, **views: tuple[Seen, ...]) -> set[str]:
        """Return the kinds of violation, where `rows` are left."""
        tasks = tuple(row for row in rows if row.type != "list")
        end = FinalState(
            rows,
            views.get("listed", rows),
            views.get("got", tasks),
            self.idempotency_records,
            self._log,
            [("ada", views.get("copied", live(rows)))],
            self.histories,
        )
        return {violation.kind for violation in check(operations(self._lines), end)}

    def _note(self, what: str, name: str, **event: Any) -> None:
        line = {"time": next(self._time), "type": what, "name": name, **event}
        self._lines.append(json.dumps(line))


def _previous(change_type: str) -> dict[str, Any] | None:
    return None if change_type in {"task.created", "task.removed"} else {}


def trashed(version: int = 1, title: str = "make", **fields: Any) -> Seen:
    """Return the task in the trash."""
    return seen(version, title, **{"type": TRASHED, **fields})


def seen(version: int = 1, title: str = "make", **fields: Any) -> Seen:
    """Return the task as it was made by the operation `make`, but for what is given."""
    usual: dict[str, Any] = {"task": TASK, "user": "ada", "completed": False, "origin": "make"}
    return Seen(version=version, title=title, **{**usual, **fields})
