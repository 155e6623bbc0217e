"""Tasks, lists and their changes, as answers and the database show them."""

from typing import Any, NamedTuple
from zlib import crc32


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
        )


class LoggedChange(NamedTuple):
    """A change of a task or list, as the database has it in the log; see `core.changes`."""

    user: str
    sequence: int
    type: str
    task: str
    version: int

    @property
    def is_removal(self) -> bool:
        """Tell whether the task or list is gone since then."""
        return self.type.endswith(".removed")


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
