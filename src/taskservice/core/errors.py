"""Everything that the service can refuse, in the words of the domain.

TaskServiceError
├── TaskNotFound      the owner has no such task
├── InvalidTask       a value breaks a rule of the task
├── StaleTask         the task is at a version that the caller does not allow
├── KeyReused         a key that was used for one request came with another
├── KeyInUse          the request that first came with a key is still running
├── Unauthenticated   the caller's credentials are missing or not valid
└── Unavailable       what is needed cannot be reached at the moment
    ├── Overloaded      too many concurrent requests
    ├── ReadOnly        the database takes no write at the moment; reads go on
    ├── StorageFull     the database has no room for a write; reads go on
    ├── AccessRefused   the database does not let the service in, and will not by itself
    ├── SchemaBehind    the database's schema is older than this version needs
    ├── PrivilegedRole  the database's role is one that no row-level security holds
    └── Unfit           the database is set up in a way that nothing should be served from it
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple
from uuid import UUID

Outcome = Literal["not_applied", "unknown"]
"""What became of a write that was not answered."""


class Fault(NamedTuple):
    """One thing that is wrong with a value: the field's name, and why."""

    field: str
    detail: str


class TaskServiceError(Exception):
    """The root of the tree: catch it to catch whatever the service refuses."""


class TaskNotFound(TaskServiceError):
    """The owner has no task `task_id`; whether somebody else has is not told."""

    def __init__(self, task_id: UUID) -> None:
        super().__init__(f"no task {task_id}")
        self.task_id = task_id


class StaleTask(TaskServiceError):
    """The task `task_id` is at a version that the caller does not allow."""

    def __init__(self, task_id: UUID) -> None:
        super().__init__(f"task {task_id} is at a version that the caller does not allow")
        self.task_id = task_id


class KeyReused(TaskServiceError):
    """The key of this request was used for one with another method, path or body."""


class KeyInUse(TaskServiceError):
    """Another request with the same key is still running."""


class InvalidTask(TaskServiceError):
    """One or more values break the rules of a task; `faults` names all of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.field} {fault.detail}" for fault in self.faults))


class Unauthenticated(TaskServiceError):
    """No valid credentials. The message is the reason: for the log, never for the caller."""


class Unavailable(TaskServiceError):
    """What the request needs cannot be reached.

    `outcome` is the truth about a write: `not_applied` where nothing was
    committed, `unknown` where the reply to the commit was lost.
    """

    def __init__(self, reason: str, outcome: Outcome = "not_applied") -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome


class Overloaded(Unavailable):
    """There are too many concurrent requests; a later retry may succeed."""


class ReadOnly(Unavailable):
    """The database takes no write, as a standby does; reads go on."""


class StorageFull(Unavailable):
    """The database has no room for what was to be written; nothing was."""


class AccessDenied(Unavailable):
    """The database does not let the service in, or at its tables: somebody must change that."""


class SchemaOutdated(Unavailable):
    """The database's schema is older than this version needs, or not the one that it was."""


class PrivilegedRole(Unavailable):
    """The role is one that no row-level security holds: nothing is served as it."""

    def __init__(self, role: str, power: str) -> None:
        super().__init__(
            f"the database's role is {role}, which {power}: row-level security would not hold"
        )


class UnusableDatabase(Unavailable):
    """The database is set up in a way that nothing is served from; `advice` says what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
