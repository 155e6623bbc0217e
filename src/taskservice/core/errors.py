"""Errors: what the service refuses to do, or cannot do.

TaskServiceError
├── EntityNotFound        the owner has no such entity
│   ├── ListNotFound      the owner has no such list
│   └── TaskNotFound      the owner has no such task
├── EntityInUse           other entities refer to it
├── InvalidEntity         a value breaks a rule of the entity
│   └── InvalidOption     an option of the operation cannot be met
├── ListNotEmpty          the list has tasks
├── StaleEntity           a precondition does not allow the entity's version
├── PreconditionRequired  a write of an entity must have a precondition
├── UndoConflict          a later change is in the way of an undo
├── CommandFailed         a command of a batch failed, so none of them was done
├── SyncExpired           what has changed since then is no longer known
├── IdempotencyKeyReused  an idempotency key was sent with a different request
├── IdempotencyKeyInUse   the first request with this key is still running
├── Unauthenticated       the credentials are missing or not valid
├── ErasureIncomplete     the deleted data is still on the disk (`core.owner_data`)
└── Unavailable           a dependency cannot be reached
    ├── Overloaded        too many concurrent requests
    ├── ReadOnly          the database accepts no writes; reads still work
    ├── StorageFull       the disk or quota of the database is full; reads still work
    ├── AccessDenied      the database denies the service access
    ├── SchemaOutdated    the database schema is older than this version needs
    ├── PrivilegedRole    the database role bypasses row-level security
    └── UnusableDatabase  the configuration of the database is not safe to serve from
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple
from uuid import UUID

Outcome = Literal["not_applied", "unknown"]
"""The outcome of a failed write."""


class FieldError(NamedTuple):
    """An error in one field: its name, and a message."""

    field: str
    detail: str


class TaskServiceError(Exception):
    """The base class of all errors of the service."""


class EntityNotFound(TaskServiceError):
    """The owner has no entity `entity_id` of this type; another owner may have it."""

    def __init__(self, entity_id: UUID) -> None:
        super().__init__(f"{entity_id} not found")
        self.entity_id = entity_id


class TaskNotFound(EntityNotFound):
    """The owner has no task with this id; another owner may have it."""


class ListNotFound(EntityNotFound):
    """The owner has no list with this id; another owner may have it."""


class EntityInUse(TaskServiceError):
    """An entity cannot be removed, as others refer to it. Nothing was changed."""

    outcome: Outcome = "not_applied"


class ListNotEmpty(TaskServiceError):
    """A list has tasks, and the caller did not say what becomes of them. Nothing was changed."""


class StaleEntity(TaskServiceError):
    """A precondition does not allow the current version of the entity `entity_id`."""

    def __init__(self, entity_id: UUID) -> None:
        super().__init__(f"precondition failed for {entity_id}")
        self.entity_id = entity_id


class PreconditionRequired(TaskServiceError):
    """The operator requires a precondition for this write, and there was none."""


class SyncExpired(TaskServiceError):
    """What has changed since a position in the log is not known: a client must sync all.

    The position was pruned, the database was restored, or the owner's data was erased.
    """


class IdempotencyKeyReused(TaskServiceError):
    """The idempotency key was first sent with another method, path, query or body."""


class IdempotencyKeyInUse(TaskServiceError):
    """Another request with the same idempotency key is still running."""


class InvalidEntity(TaskServiceError):
    """One or more values break the rules of an entity; `errors` has all of them."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field} {error.detail}" for error in self.errors))


class InvalidOption(InvalidEntity):
    """An option of the operation cannot be met for these entities; `errors` names it."""


class UndoConflict(TaskServiceError):
    """A change cannot be undone; `errors` has the fields that are in the way. Nothing was changed.

    They were changed again, or can no longer have the values that they had.
    """

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field} {error.detail}" for error in self.errors))


class CommandFailed(TaskServiceError):
    """The command of a batch at `index` failed with an `error`. Nothing was changed."""

    def __init__(self, index: int, error: TaskServiceError) -> None:
        super().__init__(f"command {index} failed: {error}")
        self.index = index
        self.error = error


class Unauthenticated(TaskServiceError):
    """There are no valid credentials. The message is for the log, never for the caller."""


class Unavailable(TaskServiceError):
    """A dependency of the service cannot be reached.

    `outcome` is that of a write: `not_applied` if nothing was committed,
    `unknown` if the reply to the COMMIT was lost.
    """

    def __init__(self, reason: str, outcome: Outcome = "not_applied") -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome


class Overloaded(Unavailable):
    """There are too many concurrent requests; a later retry may succeed."""


class ReadOnly(Unavailable):
    """The database accepts no writes, as a standby does; reads still work."""


class StorageFull(Unavailable):
    """The disk or quota of the database is full; nothing was written, and reads still work."""


class AccessDenied(Unavailable):
    """The database denies a connection, or access to its tables, until its grants are changed."""


class SchemaOutdated(Unavailable):
    """The database schema is older than this version needs, or was altered."""


class PrivilegedRole(Unavailable):
    """The database role bypasses row-level security, so the service does not use it."""

    def __init__(self, role: str, power: str) -> None:
        super().__init__(
            f"the database role is {role}, which {power}: row-level security does not apply"
        )


class UnusableDatabase(Unavailable):
    """The configuration of the database is not safe to serve from; `advice` says what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
