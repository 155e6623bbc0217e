"""FastAPI and SQLModel, synchronous on psycopg: what the tutorials lead to, and most write."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import DateTime, make_url
from sqlmodel import Field, Session, SQLModel, create_engine, desc, select
from tests.benchmarks.peers.callers import DATABASE, POOL_SIZE, subject


def now() -> datetime:
    return datetime.now(UTC)


class TaskBase(SQLModel):
    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool = False


class Task(TaskBase, table=True):
    __tablename__ = "tasks"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: str = Field(max_length=255, index=True)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class TaskPublic(TaskBase):
    id: UUID
    user_id: str
    created_at: datetime
    updated_at: datetime


class TaskUpdate(TaskBase):
    pass


class Completion(SQLModel):
    completed: bool


engine = create_engine(
    make_url(DATABASE).set(drivername="postgresql+psycopg"), pool_size=POOL_SIZE, max_overflow=0
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
def create_task(owner: OwnerDep, session: SessionDep, task: TaskBase) -> Any:
    return save(session, Task.model_validate(task, update={"user_id": owner}))


@app.get("/api/tasks/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def read_task(task: TaskDep) -> Any:
    return task


@app.put("/api/tasks/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def update_task(task: TaskDep, session: SessionDep, update: TaskUpdate) -> Any:
    task.sqlmodel_update(update.model_dump(), update={"updated_at": now()})
    return save(session, task)


@app.patch("/api/tasks/{user_id}/tasks/{task_id}/complete", response_model=TaskPublic)
def complete_task(task: TaskDep, session: SessionDep, completion: Completion) -> Any:
    task.sqlmodel_update(completion.model_dump(), update={"updated_at": now()})
    return save(session, task)


@app.delete("/api/tasks/{user_id}/tasks/{task_id}", status_code=204)
def delete_task(task: TaskDep, session: SessionDep) -> None:
    session.delete(task)
    session.commit()
