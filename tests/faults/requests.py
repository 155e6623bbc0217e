"""What clients of a history wish for, drawn at random from what they know of their tasks."""

from collections.abc import Sequence
from random import Random
from threading import Lock
from typing import Any, NamedTuple

from tests.faults.history import READS, Kind, ShownChange
from tests.faults.history import TRASHED as TRASHED_KINDS
from tests.faults.seen import TRASHED, Seen

MANY = {"task": 25, "list": 3}
"""So many tasks and lists a user has at most, so that pages and groups stay a few."""

WEIGHTS: dict[Kind, int] = {
    "create": 22,
    "update": 20,
    "complete": 18,
    "skip": 5,
    "move": 10,
    "change_list": 6,
    "change_parent": 8,
    "change_recurrence": 6,
    "delete": 12,
    "delete_tree": 3,
    "restore": 11,
    "purge": 4,
    "purge_all": 1,
    "history": 14,
    "trash": 3,
    "get_trashed": 3,
    "get": 12,
    "list": 5,
    "create_list": 4,
    "delete_list": 2,
    "lists": 2,
    "batch": 12,
}
DELETIONS: dict[Kind, Kind] = {"create": "delete", "create_list": "delete_list"}
"""What is wished for instead where there are enough."""

RULES = (
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=MO,TH",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=DAILY;COUNT=3",
)
"""Rules that any due date may have. Of a date in the past, the last one has no successor."""

UNDOABLE = ("title", "completed", "list_id", "parent_id", "position", "recurrence")
"""What of the fields that an undo sets back matters here."""

NEWEST = 0.6
"""How often the newest change of a history is undone; else any."""

OF_USER: set[Kind] = {"list", "lists", "trash", "purge_all", "batch"}
"""What is wished for all that a user has."""

OF_SUCCESSORS = {"update", "complete", "skip", "change_recurrence", "delete", "get"}
"""What may be wished for a successor, whether it was seen yet or not."""


class Request(NamedTuple):
    """One operation to ask for: `version` is for `If-Match`, `key` for `Idempotency-Key`.

    The others are those of an `Operation`. The commands of a batch are requests too.
    """

    name: str
    kind: Kind
    user: str
    task: str | None = None
    title: str | None = None
    completed: bool | None = None
    version: int | None = None
    key: str | None = None
    list_id: str | None = None
    parent_id: str | None = None
    place: str | None = None
    beside: str | None = None
    recurrence: str | None = None
    status: str | None = None
    sequence: int | None = None
    undone: str | None = None
    fields: tuple[str, ...] = ()
    mode: str | None = None
    dry_run: bool | None = None
    commands: "tuple[Request, ...]" = ()

    def asked(self) -> dict[str, Any]:
        """Return what is asked for, as a history has it."""
        asked = {name: value for name, value in self._asdict().items() if value is not None}
        return asked | {"commands": [one.asked() for one in self.commands]}


class KnownTasks:
    """One user's tasks and lists, as far as their clients know: each as it was last seen."""

    def __init__(self, user: str) -> None:
        self.user = user
        self._seen: dict[str, Seen] = {}
        self._lock = Lock()

    def add(self, seen: Seen) -> None:
        """Remember what was shown."""
        with self._lock:
            self._seen[seen.task] = seen

    def forget(self, task: str) -> None:
        """Forget what is gone."""
        with self._lock:
            self._seen.pop(task, None)

    def move_to_trash(self, task: str) -> None:
        """Remember that a task was deleted."""
        with self._lock:
            if task in self._seen:
                self._seen[task] = self._seen[task]._replace(type=TRASHED)

    def empty_trash(self) -> None:
        """Forget what was in the trash."""
        with self._lock:
            self._seen = {task: one for task, one in self._seen.items() if one.type != TRASHED}

    def all(self, of_type: str = "task") -> list[Seen]:
        """Return all tasks, all lists, or all of the trash."""
        with self._lock:
            return [seen for seen in self._seen.values() if seen.type == of_type]


def draw_request(name: str, known: KnownTasks, random: Random) -> Request:
    """Return something to wish for. Titles are unique, and so are keys: both are `name`."""
    kind = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if kind in TRASHED_KINDS or (kind == "history" and random.random() < 0.2):
        return draw_for_trash(name, kind, known, random)
    of_type = "list" if kind in {"create_list", "delete_list"} else "task"
    found = known.all(of_type)
    if len(found) >= MANY[of_type]:
        kind = DELETIONS.get(kind, kind)
    key = name if random.random() < 0.4 else None
    if kind in OF_USER:
        return Request(name, kind, known.user, key=key if kind == "purge_all" else None)
    if kind in DELETIONS or not found:
        return draw_creation(Request(name, "create", known.user, key=key), kind, known, random)
    one = random.choice(found)
    if one.next_id and kind in OF_SUCCESSORS and random.random() < 0.6:
        one = one._replace(task=one.next_id, version=1, completed=False)
    if kind in READS:
        return Request(name, kind, known.user, one.task)
    seen = one.version if random.random() < 0.4 else None
    request = Request(name, kind, known.user, one.task, version=seen, key=key)
    return _filled(request, one, known, random)


def draw_for_trash(name: str, kind: Kind, known: KnownTasks, random: Random) -> Request:
    """Return something to wish for a task in the trash. If none is known, look there."""
    found = known.all(TRASHED)
    if not found:
        return Request(name, "trash", known.user)
    one = random.choice(found)
    request = Request(name, kind, known.user, one.task)
    if kind in READS:
        return request
    key = name if random.random() < 0.4 else None
    version = one.version if random.random() < 0.4 else None
    return request._replace(key=key, version=version)


def draw_undo(
    name: str, history: Request, changes: Sequence[ShownChange], random: Random
) -> Request:
    """Return the undo of a change of a history."""
    one = changes[0] if random.random() < NEWEST else random.choice(changes)
    request = Request(name, "undo", history.user, history.task)
    key = name if random.random() < 0.4 else None
    return undo_of(request._replace(key=key), one)


def undo_of(request: Request, change: ShownChange) -> Request:
    """Return a request to undo a change."""
    before = change.previous or {}
    fields = tuple(name for name in UNDOABLE if name in before)
    values = {name: before[name] for name in fields if name != "position"}
    return request._replace(sequence=change.sequence, undone=change.type, fields=fields, **values)


def draw_creation(request: Request, kind: Kind, known: KnownTasks, random: Random) -> Request:
    """Return the creation of a list; or of a task in the inbox, in a list, or under another.

    Half of the tasks that are under no other recur.
    """
    request = request._replace(title=request.name, completed=False)
    if kind in {"create_list", "delete_list"}:
        return request._replace(kind="create_list")
    place = random.choice(["inbox", "list", "parent"])
    if place == "parent":
        return request._replace(parent_id=_any(known.all(), random))
    recurrence = random.choice([None, random.choice(RULES)])
    list_id = _any(known.all("list"), random) if place == "list" else None
    return request._replace(list_id=list_id, recurrence=recurrence)


def _filled(request: Request, one: Seen, known: KnownTasks, random: Random) -> Request:
    """Return a request with what it needs to know beside the task that it is for."""
    match request.kind:
        case "update":
            return request._replace(title=request.name)
        case "complete":
            completed = random.random() < (0.25 if one.completed else 0.75)
            return request._replace(completed=completed, version=None)
        case "skip":
            return request._replace(completed=True, status="cancelled")
        case "change_recurrence":
            return request._replace(recurrence=random.choice([None, *RULES]))
        case "move":
            return _moved(request, one, known, random)
    return _placed(request, one, known, random)


def _placed(request: Request, one: Seen, known: KnownTasks, random: Random) -> Request:
    """Return a request with the list or the parent that it wishes for."""
    match request.kind:
        case "change_list":
            lists = [] if random.random() < 0.25 else known.all("list")
            return request._replace(list_id=_any(lists, random))
        case "change_parent":
            others = [other for other in known.all() if other.task != one.task]
            parents = [] if random.random() < 0.25 else others
            return request._replace(parent_id=_any(parents, random))
    return request


def _moved(request: Request, one: Seen, known: KnownTasks, random: Random) -> Request:
    siblings = [other for other in known.all() if other.group == one.group and other != one]
    place = random.choice(["after", "before", "first", "last"] if siblings else ["first", "last"])
    beside = _any(siblings, random) if place in {"after", "before"} else None
    return request._replace(place=place, beside=beside)


def _any(seen: list[Seen], random: Random) -> str | None:
    """Return the id of one of these, None where there is none."""
    return random.choice(seen).task if seen else None
