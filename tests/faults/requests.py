"""What clients of a history wish for, drawn at random from what they know of their tasks."""

from random import Random
from threading import Lock
from typing import NamedTuple

from tests.faults.history import Kind

MANY = 25
"""So many tasks a user has at most, so that lists stay a few pages long."""

WEIGHTS: dict[Kind, int] = {
    "create": 22,
    "update": 28,
    "complete": 14,
    "delete": 12,
    "get": 18,
    "list": 6,
}


class Request(NamedTuple):
    """One operation to ask for: `version` is for `If-Match`, `key` for `Idempotency-Key`."""

    name: str
    kind: Kind
    user: str
    task: str | None = None
    title: str | None = None
    completed: bool | None = None
    version: int | None = None
    key: str | None = None


class KnownTasks:
    """One user's tasks, as far as their clients know: each with the last version seen."""

    def __init__(self, user: str) -> None:
        self.user = user
        self._versions: dict[str, int] = {}
        self._lock = Lock()

    def add(self, task: str, version: int) -> None:
        """Remember a task that was shown."""
        with self._lock:
            self._versions[task] = version

    def forget(self, task: str) -> None:
        """Forget a task that is gone."""
        with self._lock:
            self._versions.pop(task, None)

    def any(self, random: Random) -> tuple[str, int] | None:
        """Return a task and its version, None where there is none."""
        with self._lock:
            return random.choice(list(self._versions.items())) if self._versions else None

    @property
    def is_full(self) -> bool:
        """Tell whether there are enough tasks."""
        return len(self._versions) >= MANY


def draw_request(name: str, known: KnownTasks, random: Random) -> Request:
    """Return something to wish for. Titles are unique, and so are keys: both are `name`."""
    kind = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if kind == "create" and known.is_full:
        kind = "delete"
    key = name if random.random() < 0.4 else None
    if kind == "list":
        return Request(name, kind, known.user)
    found = known.any(random)
    if kind == "create" or found is None:
        return Request(name, "create", known.user, title=name, completed=False, key=key)
    task, version = found
    seen = version if random.random() < 0.4 else None
    match kind:
        case "update":
            return Request(name, kind, known.user, task, title=name, version=seen, key=key)
        case "complete":
            done = random.random() < 0.5
            return Request(name, kind, known.user, task, completed=done, key=key)
        case "delete":
            return Request(name, kind, known.user, task, version=seen, key=key)
    return Request(name, kind, known.user, task)
