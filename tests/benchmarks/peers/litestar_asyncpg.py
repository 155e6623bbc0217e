"""Litestar, msgspec and asyncpg without an ORM, one statement a request: the fastest peer.

A task has the members of the service's, and its values are validated one by one. There
are no lists, moves, series or rules about dates, no columns for the search, no row-level
security, no change log and no idempotency keys. PUT replaces all that a user sets; of two
changes at once, the second overwrites the first.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import asyncpg
import jwt
from litestar import Controller, Litestar, delete, get, patch, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import Parameter
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import astuple
from tests.benchmarks.peers.callers import DATABASE, POOL_SIZE, subject

CLOSED = ("completed", "cancelled")
FIRST_POSITION = "01932d0e5f0acc31"

Status = Literal["needs-action", "in-process", "completed", "cancelled"]
DateOrTime = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$")]
Label = Annotated[str, Meta(min_length=1, max_length=100)]


class NewTask(Struct):
    title: Annotated[str, Meta(min_length=1, max_length=255)]
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    completed: bool | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    due: DateOrTime | None = None
    start: DateOrTime | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None
    priority: Annotated[int, Meta(ge=1, le=9)] | None = None
    labels: Annotated[list[Label], Meta(max_length=50)] = []
    list_id: UUID | None = None
    parent_id: UUID | None = None
    recurrence: Annotated[str, Meta(max_length=255)] | None = None
    repeats_from: Literal["schedule", "completion"] = "schedule"
    occurrence: DateOrTime | None = None

    def __post_init__(self) -> None:
        if self.status is UNSET:
            self.status = "completed" if self.completed else "needs-action"
        if self.completed is UNSET:
            self.completed = self.status in CLOSED
        if self.completed != (self.status in CLOSED):
            raise ValueError("completed does not agree with status")


class Task(Struct):
    id: UUID
    user_id: str
    title: str
    description: str | None
    completed: bool
    status: str
    due: str | None
    start: str | None
    time_zone: str | None
    priority: int | None
    labels: list[str]
    list_id: UUID | None
    parent_id: UUID | None
    recurrence: str | None
    repeats_from: str
    occurrence: str | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    position: str
    series_id: UUID | None
    next_id: UUID | None


class Completion(Struct):
    completed: bool


FIELDS = ", ".join(Task.__struct_fields__)
NEW = ", ".join(NewTask.__struct_fields__)
VALUES = ", ".join(f"${number}" for number, _ in enumerate(NewTask.__struct_fields__, start=3))
LIST = f"""
    SELECT {FIELDS} FROM tasks WHERE user_id = $1
    ORDER BY created_at DESC, id DESC LIMIT $2
"""
GET = f"SELECT {FIELDS} FROM tasks WHERE id = $1 AND user_id = $2"
CREATE = f"""
    INSERT INTO tasks
    (id, user_id, {NEW}, completed_at, created_at, updated_at, version, position) VALUES
    ($1, $2, {VALUES}, CASE WHEN $5 THEN now() END, now(), now(), 1, '{FIRST_POSITION}')
    RETURNING {FIELDS}
"""
UPDATE = f"""
    UPDATE tasks SET ({NEW}) = ROW ({VALUES}),
    completed_at = CASE WHEN $5 THEN coalesce(completed_at, now()) END,
    updated_at = now(), version = version + 1
    WHERE id = $1 AND user_id = $2 RETURNING {FIELDS}
"""
COMPLETE = f"""
    UPDATE tasks SET completed = $3,
    status = CASE WHEN completed = $3 THEN status WHEN $3 THEN 'completed' ELSE 'needs-action' END,
    completed_at = CASE WHEN $3 THEN coalesce(completed_at, now()) END,
    updated_at = now(), version = version + 1
    WHERE id = $1 AND user_id = $2 RETURNING {FIELDS}
"""
DELETE = "DELETE FROM tasks WHERE id = $1 AND user_id = $2 RETURNING id"


@asynccontextmanager
async def connected(app: Litestar) -> AsyncIterator[None]:
    async with asyncpg.create_pool(DATABASE, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
        app.state.pool = pool
        yield


def require_owner(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    try:
        caller = subject(connection.headers.get("authorization", "").removeprefix("Bearer "))
    except jwt.InvalidTokenError as error:
        raise NotAuthorizedException from error
    if caller != connection.path_params["user_id"]:
        raise PermissionDeniedException


async def found(state: State, statement: str, *values: object) -> Any:
    """Return the row that a statement is about."""
    if (row := await state.pool.fetchrow(statement, *values)) is None:
        raise NotFoundException
    return row


class Tasks(Controller):
    path = "/api/tasks/{user_id:str}/tasks"
    guards = (require_owner,)

    @get()
    async def list_tasks(
        self, state: State, user_id: str, limit: Annotated[int, Parameter(ge=1, le=200)] = 100
    ) -> list[Task]:
        return [Task(*row) for row in await state.pool.fetch(LIST, user_id, limit)]

    @post()
    async def create_task(self, state: State, user_id: str, data: NewTask) -> Task:
        return Task(*await found(state, CREATE, uuid4(), user_id, *astuple(data)))

    @get("/{task_id:uuid}")
    async def get_task(self, state: State, user_id: str, task_id: UUID) -> Task:
        return Task(*await found(state, GET, task_id, user_id))

    @put("/{task_id:uuid}")
    async def update_task(self, state: State, user_id: str, task_id: UUID, data: NewTask) -> Task:
        return Task(*await found(state, UPDATE, task_id, user_id, *astuple(data)))

    @patch("/{task_id:uuid}/complete")
    async def complete_task(
        self, state: State, user_id: str, task_id: UUID, data: Completion
    ) -> Task:
        return Task(*await found(state, COMPLETE, task_id, user_id, data.completed))

    @delete("/{task_id:uuid}")
    async def delete_task(self, state: State, user_id: str, task_id: UUID) -> None:
        await found(state, DELETE, task_id, user_id)


app = Litestar([Tasks], lifespan=[connected])
