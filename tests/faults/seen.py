"""Tasks, lists and their changes, as answers and the database show them."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from zlib import crc32

TRASHED = "trashed-task"
"""The type of a task in the trash."""


def plan(title: str) -> dict[str, Any]:
    """Return what is always written together with a title."""
    number = crc32(title.encode())
    is_zoned = number % 2 == 0
    year = 2026 if number % 3 else 2096
    return {
        "due": f"{year}-03-{number % 28 + 1:02}" + ("T02:30:00" if is_zoned else ""),
        "time_zone": "Europe/Berlin" if is_zoned else None,
        "priority": number % 9 + 1,
        "labels": [title],
    }


class Seen(NamedTuple):
    """A task as an answer or the database showed it; `origin` names the operation that made it.

    It `is_planned` if it has the `plan` of its title, and a status that agrees with `completed`.
    The due date of a successor is another one. A list is shown so too: its name is its title.
    The `type` of a task in the trash is `trashed-task`.
    """

    task: str
    user: str
    version: int
    title: str
    completed: bool
    origin: str
    is_planned: bool = True
    list_id: str | None = None
    parent_id: str | None = None
    position: str = ""
    type: str = "task"
    status: str = "needs-action"
    recurrence: str | None = None
    series_id: str | None = None
    next_id: str | None = None

    @property
    def is_successor(self) -> bool:
        """Tell whether it was made when another task of its series was closed."""
        return self.series_id not in {None, self.task}

    @property
    def goes_on(self) -> bool:
        """Tell whether it is the task of its series that is open and recurs."""
        return self.recurrence is not None and not self.completed

    @property
    def recurring(self) -> tuple[str | None, ...]:
        """Return what it has of its series."""
        return self.recurrence, self.series_id, self.next_id

    @property
    def step(self) -> tuple[int, int]:
        """Return what rises with each change; see `LoggedChange`."""
        return self.version, int(self.type == TRASHED)

    @property
    def group(self) -> tuple[str | None, str | None]:
        """Return what it shares with its siblings."""
        return self.list_id, self.parent_id

    @property
    def place(self) -> tuple[str, str]:
        """Return what its siblings are sorted by."""
        return self.position, self.task

    @classmethod
    def of_list(cls, shown: dict[str, Any]) -> "Seen":
        """Return what matters of a list in JSON; the name is that of the operation that made it."""
        return cls(
            task=shown["id"],
            user=shown["user_id"],
            version=shown["version"],
            title=shown["name"],
            completed=False,
            origin=shown["name"],
            position=shown["position"],
            type="list",
        )

    @classmethod
    def of(cls, shown: dict[str, Any]) -> "Seen":
        """Return what matters of a task in JSON."""
        return cls(
            task=shown["id"],
            user=shown["user_id"],
            version=shown["version"],
            title=shown["title"],
            completed=shown["completed"],
            origin=shown["description"],
            is_planned=_is_planned(shown),
            list_id=shown["list_id"],
            parent_id=shown["parent_id"],
            position=shown["position"],
            status=shown["status"],
            recurrence=shown["recurrence"],
            series_id=shown["series_id"],
            next_id=shown["next_id"],
            type=TRASHED if shown.get("trashed_at") else "task",
        )


def live(shown: Iterable[Seen]) -> tuple[Seen, ...]:
    """Return the tasks and lists that are not in the trash."""
    return tuple(seen for seen in shown if seen.type != TRASHED)


class LoggedChange(NamedTuple):
    """A change of a task or list, as the database has it in the log; see `core.changes`.

    `request` is the name of the operation that made it, as its client sent it.
    """

    user: str
    sequence: int
    type: str
    task: str
    version: int
    request: str | None = None
    previous: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Return what was done."""
        return self.type.partition(".")[2]

    @property
    def step(self) -> tuple[int, int]:
        """Return what rises with each change of a task: its version, and where that is.

        A version is first among the tasks, then it may be in the trash, then purged.
        """
        return self.version, {"removed": 1, "purged": 2}.get(self.name, 0)


class Log(NamedTuple):
    """The changes of some users, in the order of their numbers, and the last number of each."""

    changes: tuple[LoggedChange, ...]
    heads: dict[str, int]


def _is_planned(shown: dict[str, Any]) -> bool:
    written = plan(shown["title"])
    if shown["series_id"] not in {None, shown["id"]}:
        written["due"] = shown["due"]
    statuses = {"completed", "cancelled"} if shown["completed"] else {"needs-action"}
    return shown["status"] in statuses and {name: shown[name] for name in written} == written
