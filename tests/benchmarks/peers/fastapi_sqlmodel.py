"""FastAPI and SQLModel, synchronous on psycopg: what the tutorials lead to, and most write.

A task has the members of the service's, and its values are validated one by one. There
are no lists, moves, series or rules about dates, no columns for the search, no row-level
security, no change log and no idempotency keys. PUT replaces all that a user sets; of two
changes at once, one may be lost.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import StringConstraints, model_validator
from sqlalchemy import ARRAY, DateTime, SmallInteger, String, make_url
from sqlmodel import Field, Session, SQLModel, create_engine, desc, select
from tests.benchmarks.peers.callers import DATABASE, POOL_SIZE, subject

CLOSED = ("completed", "cancelled")
FIRST_POSITION = "01932d0e5f0acc31"

Status = Literal["needs-action", "in-process", "completed", "cancelled"]
RepeatsFrom = Literal["schedule", "completion"]
DateOrTime = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def now() -> datetime:
    return datetime.now(UTC)


class TaskBase(SQLModel):
    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool = False
    status: Status = Field(default="needs-action", sa_type=String)
    due: DateOrTime | None = None
    start: DateOrTime | None = None
    time_zone: str | None = Field(default=None, max_length=64)
    priority: int | None = Field(default=None, ge=1, le=9, sa_type=SmallInteger)
    labels: list[Label] = Field(default=[], max_length=50, sa_type=ARRAY(String))
    list_id: UUID | None = None
    parent_id: UUID | None = None
    recurrence: str | None = Field(default=None, max_length=255)
    repeats_from: RepeatsFrom = Field(default="schedule", sa_type=String)
    occurrence: DateOrTime | None = None


class Task(TaskBase, table=True):
    __tablename__ = "tasks"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: str = Field(max_length=255, index=True)
    completed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    version: int = 0
    position: str = Field(default=FIRST_POSITION, max_length=255)
    series_id: UUID | None = None
    next_id: UUID | None = None


class TaskPublic(TaskBase):
    id: UUID
    user_id: str
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    position: str
    series_id: UUID | None
    next_id: UUID | None


class TaskInput(TaskBase):
    @model_validator(mode="after")
    def match_status(self) -> Self:
        if "status" not in self.model_fields_set:
            self.status = "completed" if self.completed else "needs-action"
        if "completed" not in self.model_fields_set:
            self.completed = self.status in CLOSED
        if self.completed != (self.status in CLOSED):
            raise ValueError("completed does not agree with status")
        return self


class Completion(SQLModel):
    completed: bool


engine = create_engine(
    make_url(DATABASE).set(drivername="postgresql+psycopg"),
    pool_size=POOL_SIZE,
    max_overflow=0,
    connect_args={"options": "-c timezone=UTC"},
)
app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def get_owner(
    user_id: str, bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> str:
    try:
        caller = subject(bearer.credentials)
    except jwt.InvalidTokenError:
        raise HTTPException(status_code=401, detail="Invalid token") from None
    if caller != user_id:
        raise HTTPException(status_code=403, detail="Not your tasks")
    return user_id


SessionDep = Annotated[Session, Depends(get_session)]
OwnerDep = Annotated[str, Depends(get_owner)]


def get_own_task(task_id: UUID, owner: OwnerDep, session: SessionDep) -> Task:
    task = session.exec(select(Task).where(Task.id == task_id, Task.user_id == owner)).first()
    if not task:
        raise HTTPException(status_code=404, detail="Task not found")
    return task


TaskDep = Annotated[Task, Depends(get_own_task)]


def save(session: Session, task: Task) -> Task:
    task.completed_at = (task.completed_at or now()) if task.completed else None
    task.updated_at = now()
    task.version += 1
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@app.get("/api/tasks/{user_id}/tasks", response_model=list[TaskPublic])
def read_tasks(
    owner: OwnerDep, session: SessionDep, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> Any:
    newest = (desc(Task.created_at), desc(Task.id))
    return session.exec(
        select(Task).where(Task.user_id == owner).order_by(*newest).limit(limit)
    ).all()


@app.post("/api/tasks/{user_id}/tasks", response_model=TaskPublic, status_code=201)
def create_task(owner: OwnerDep, session: SessionDep, task: TaskInput) -> Any:
    return save(session, Task.model_validate(task, update={"user_id": owner}))


@app.get("/api/tasks/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def read_task(task: TaskDep) -> Any:
    return task


@app.put("/api/tasks/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def update_task(task: TaskDep, session: SessionDep, update: TaskInput) -> Any:
    task.sqlmodel_update(update)
    return save(session, task)


@app.patch("/api/tasks/{user_id}/tasks/{task_id}/complete", response_model=TaskPublic)
def complete_task(task: TaskDep, session: SessionDep, completion: Completion) -> Any:
    if task.completed != completion.completed:
        task.completed = completion.completed
        task.status = "completed" if completion.completed else "needs-action"
    return save(session, task)


@app.delete("/api/tasks/{user_id}/tasks/{task_id}", status_code=204)
def delete_task(task: TaskDep, session: SessionDep) -> None:
    session.delete(task)
    session.commit()
