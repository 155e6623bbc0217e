"""A history: what clients asked for, when, and what they heard, as lines of JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from threading import Lock
from time import monotonic
from typing import IO, Any, Literal, NamedTuple

from tests.faults.seen import Seen

Kind = Literal[
    "create",
    "update",
    "complete",
    "skip",
    "move",
    "change_list",
    "change_parent",
    "change_recurrence",
    "delete",
    "delete_tree",
    "restore",
    "purge",
    "purge_all",
    "undo",
    "get",
    "get_trashed",
    "history",
    "list",
    "create_list",
    "delete_list",
    "lists",
    "trash",
    "snapshot",
    "page",
    "sync",
    "batch",
]
"""What is asked for; `list`, `lists` and `trash` read all tasks, all lists, and all of the trash.

A `snapshot` has these at one moment. `delete_tree` deletes a task with its sub-tasks.
A `batch` has commands, each of a kind of its own; see `commands`.

A client that follows the log notes a `page` with what that shows. After the last one it notes
a `sync` with all that it has, which is what there was at the moment of that page.
"""
Outcome = Literal["ok", "fail", "info"]
Result = tuple[int, tuple[Seen, ...]]
"""The status of a command of a batch, and the task that it showed."""

EXPECTED = {200, 201, 204, 404, 409, 412, 503, 507}
SNAPSHOTS: set[Kind] = {"snapshot", "sync"}
"""The kinds that show all of a user's tasks and lists at one moment."""
TRASHED: set[Kind] = {"restore", "purge", "get_trashed"}
"""The kinds that are for a task in the trash."""
READS: set[Kind] = {"get", "get_trashed", "history"}
"""The kinds that are for one task, and change nothing."""
REMOVALS: tuple[Kind, ...] = ("delete", "delete_tree")
"""The kinds that move a task to the trash. An undo may too."""
CREATING: tuple[Kind, ...] = ("create", "create_list")
PLACING = {"create", "move", "change_list", "change_parent", "change_recurrence", "batch"}
"""The kinds that depend on other tasks or lists, for which they are refused with 422."""

ASKED = (
    *("user", "task", "title", "completed", "key"),
    *("list_id", "parent_id", "place", "beside", "recurrence"),
    *("version", "sequence", "undone"),
)
"""What an operation is asked with."""


class ShownChange(NamedTuple):
    """A change of a task, as its history shows it."""

    sequence: int
    type: str
    version: int
    previous: dict[str, Any] | None = None


class Attempt(NamedTuple):
    """One request of an operation: its times, its status (0 where none came), its outcome."""

    began: float
    ended: float
    status: int
    outcome: Outcome
    replayed: bool


class Operation(NamedTuple):
    """What a client wanted once, in one attempt, or in several under one key.

    It happened, if at all, between `began` and `ended`, which is infinite
    where nobody knows. `title`, `completed`, `list_id`, `parent_id` and `recurrence` are
    what was to be written; `place` is where to move to, and `beside` what, if it is beside
    a task.
    `task` is what it is done to: a list, if a list is deleted. `version` is that of `If-Match`.
    An undo is of the change with the number `sequence`, whose type is `undone`; it sets `fields`
    back. `changes` are what a history showed. A batch has `commands`, and for each the status
    and what it showed among the `results`. A command has the name of its `batch`.
    """

    name: str
    kind: Kind
    user: str
    task: str | None
    title: str | None
    completed: bool | None
    key: str | None
    attempts: tuple[Attempt, ...]
    seen: tuple[Seen, ...]
    list_id: str | None
    parent_id: str | None
    place: str | None
    beside: str | None
    recurrence: str | None
    version: int | None = None
    sequence: int | None = None
    undone: str | None = None
    fields: tuple[str, ...] = ()
    changes: tuple[ShownChange, ...] = ()
    mode: str | None = None
    dry_run: bool = False
    commands: tuple[dict[str, Any], ...] = ()
    applied: bool | None = None
    results: tuple[Result, ...] = ()
    batch: str | None = None

    @property
    def request(self) -> str:
        """Return the id that its request has in the log."""
        return self.batch or self.name

    @property
    def outcome(self) -> Outcome:
        """Return `ok` where it was acknowledged, `fail` where it was not done, else `info`."""
        if len(self.attempts) == 1:
            return self.attempts[0].outcome
        outcomes = {attempt.outcome for attempt in self.attempts}
        return "ok" if "ok" in outcomes else "info" if "info" in outcomes else "fail"

    @property
    def began(self) -> float:
        """Return when it was first asked for."""
        return self.attempts[0].began

    @property
    def ended(self) -> float:
        """Return when its outcome was known."""
        return inf if self.outcome == "info" else self.attempts[-1].ended

    @property
    def is_absence(self) -> bool:
        """Tell whether the answer was that there is no such task."""
        return self.attempts[-1].status == 404

    @property
    def may_trash(self) -> bool:
        """Tell whether it may move its task to the trash."""
        return self.kind in REMOVALS or self.undone in {"task.created", "task.restored"}

    @property
    def may_restore(self) -> bool:
        """Tell whether it may move its task out of the trash."""
        return self.kind == "restore" or self.undone == "task.removed"


class History:
    """Takes events from many threads, each a line of JSON at once."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lock = Lock()

    def invoke(self, name: str, **asked: Any) -> None:
        """Note that an operation is asked for, before anything is sent."""
        self._note(type="invoke", name=name, **asked)

    def answer(self, name: str, outcome: Outcome, **response: Any) -> None:
        """Note what was heard: a status, the tasks that were shown."""
        self._note(type=outcome, name=name, **response)

    def _note(self, **event: Any) -> None:
        with self._lock:
            self._file.write(json.dumps({"time": monotonic(), **event}) + "\n")


def operations(lines: Iterable[str]) -> Iterator[Operation]:
    """Yield what the events of a history tell, one operation for all attempts of one name."""
    asked: dict[str, dict[str, Any]] = {}
    attempts: dict[str, list[Attempt]] = {}
    answers: dict[str, dict[str, Any]] = {}
    for event in map(json.loads, lines):
        name = event["name"]
        if event["type"] == "invoke":
            asked.setdefault(name, event)
            attempts.setdefault(name, []).append(_unanswered(event))
        else:
            attempts[name][-1] = _answered(attempts[name][-1], event)
            answers[name] = event
    for name, first in asked.items():
        answer = answers.get(name, {})
        yield operation_of(first, attempts[name], _seen(answer.get("seen", ())))._replace(
            changes=tuple(ShownChange(*fields) for fields in answer.get("changes", ())),
            mode=first.get("mode"),
            dry_run=first.get("dry_run", False),
            commands=tuple(first.get("commands", ())),
            applied=answer.get("applied"),
            results=tuple((status, _seen(one)) for status, one in answer.get("results", ())),
        )


def operation_of(
    asked: Mapping[str, Any], attempts: Sequence[Attempt], seen: tuple[Seen, ...]
) -> Operation:
    """Return what was asked for in some attempts, the last of which has shown something."""
    values = {name: asked.get(name) for name in ASKED}
    return Operation(
        name=asked["name"],
        kind=asked["kind"],
        attempts=tuple(attempts),
        seen=seen,
        fields=tuple(asked.get("fields", ())),
        **values,  # type: ignore[arg-type]
    )


def _seen(shown: Iterable[Sequence[Any]]) -> tuple[Seen, ...]:
    return tuple(Seen(*fields) for fields in shown)


def _unanswered(event: dict[str, Any]) -> Attempt:
    return Attempt(event["time"], inf, 0, "info", replayed=False)


def _answered(attempt: Attempt, event: dict[str, Any]) -> Attempt:
    return Attempt(
        began=attempt.began,
        ended=event["time"],
        status=event.get("status", 0),
        outcome=event["type"],
        replayed=event.get("replayed", False),
    )
