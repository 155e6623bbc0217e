"""Litestar, msgspec and asyncpg without an ORM, one statement a request: the fastest peer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg
import jwt
from litestar import Controller, Litestar, delete, get, patch, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import Parameter
from msgspec import Meta, Struct
from tests.benchmarks.peers.callers import DATABASE, POOL_SIZE, subject

FIELDS = "id, user_id, title, description, completed, created_at, updated_at"
LIST = f"""
    SELECT {FIELDS} FROM tasks WHERE user_id = $1
    ORDER BY created_at DESC, id DESC LIMIT $2
"""
GET = f"SELECT {FIELDS} FROM tasks WHERE id = $1 AND user_id = $2"
CREATE = f"""
    INSERT INTO tasks ({FIELDS}) VALUES ($1, $2, $3, $4, $5, now(), now()) RETURNING {FIELDS}
"""
UPDATE = f"""
    UPDATE tasks SET title = $3, description = $4, completed = $5, updated_at = now()
    WHERE id = $1 AND user_id = $2 RETURNING {FIELDS}
"""
COMPLETE = f"""
    UPDATE tasks SET completed = $3, updated_at = now()
    WHERE id = $1 AND user_id = $2 RETURNING {FIELDS}
"""
DELETE = "DELETE FROM tasks WHERE id = $1 AND user_id = $2 RETURNING id"


class Task(Struct):
    id: UUID
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime


class NewTask(Struct):
    title: Annotated[str, Meta(min_length=1, max_length=255)]
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    completed: bool = False


class Completion(Struct):
    completed: bool


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
        values = (data.title, data.description, data.completed)
        return Task(*await found(state, CREATE, uuid4(), user_id, *values))

    @get("/{task_id:uuid}")
    async def get_task(self, state: State, user_id: str, task_id: UUID) -> Task:
        return Task(*await found(state, GET, task_id, user_id))

    @put("/{task_id:uuid}")
    async def update_task(self, state: State, user_id: str, task_id: UUID, data: NewTask) -> Task:
        values = (data.title, data.description, data.completed)
        return Task(*await found(state, UPDATE, task_id, user_id, *values))

    @patch("/{task_id:uuid}/complete")
    async def complete_task(
        self, state: State, user_id: str, task_id: UUID, data: Completion
    ) -> Task:
        return Task(*await found(state, COMPLETE, task_id, user_id, data.completed))

    @delete("/{task_id:uuid}")
    async def delete_task(self, state: State, user_id: str, task_id: UUID) -> None:
        await found(state, DELETE, task_id, user_id)


app = Litestar([Tasks], lifespan=[connected])
