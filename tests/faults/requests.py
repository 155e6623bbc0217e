"""What clients of a history wish for, drawn at random from what they know of their tasks."""

from random import Random
from threading import Lock
from typing import NamedTuple

from tests.faults.history import Kind
from tests.faults.seen import Seen

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
    "get": 12,
    "list": 5,
    "create_list": 4,
    "delete_list": 2,
    "lists": 2,
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

OF_SUCCESSORS = {"update", "complete", "skip", "change_recurrence", "delete", "get"}
"""What may be wished for a successor, whether it was seen yet or not."""


class Request(NamedTuple):
    """One operation to ask for: `version` is for `If-Match`, `key` for `Idempotency-Key`.

    The others are those of an `Operation`.
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

    def all(self, of_type: str = "task") -> list[Seen]:
        """Return all tasks, or all lists."""
        with self._lock:
            return [seen for seen in self._seen.values() if seen.type == of_type]


def draw_request(name: str, known: KnownTasks, random: Random) -> Request:
    """Return something to wish for. Titles are unique, and so are keys: both are `name`."""
    kind = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    of_type = "list" if kind in {"create_list", "delete_list"} else "task"
    found = known.all(of_type)
    if len(found) >= MANY[of_type]:
        kind = DELETIONS.get(kind, kind)
    key = name if random.random() < 0.4 else None
    if kind in {"list", "lists"}:
        return Request(name, kind, known.user)
    if kind in DELETIONS or not found:
        return draw_creation(Request(name, "create", known.user, key=key), kind, known, random)
    one = random.choice(found)
    if one.next_id and kind in OF_SUCCESSORS and random.random() < 0.6:
        one = one._replace(task=one.next_id, version=1, completed=False)
    if kind == "get":
        return Request(name, kind, known.user, one.task)
    seen = one.version if random.random() < 0.4 else None
    request = Request(name, kind, known.user, one.task, version=seen, key=key)
    return _filled(request, one, known, random)


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
