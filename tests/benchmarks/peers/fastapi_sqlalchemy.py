"""FastAPI, SQLAlchemy's asynchronous ORM and asyncpg: what an experienced user would pick."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, String, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.benchmarks.peers.callers import DATABASE, POOL_SIZE, subject


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}


class Task(Base):
    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[str] = mapped_column(String(255), index=True)
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    completed: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class NewTask(BaseModel):
    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool = False


class Completion(BaseModel):
    completed: bool


class TaskRead(NewTask):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: str
    created_at: datetime
    updated_at: datetime


engine = create_async_engine(
    make_url(DATABASE).set(drivername="postgresql+asyncpg"), pool_size=POOL_SIZE, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def open_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def require_owner(
    user_id: str, bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> str:
    try:
        caller = subject(bearer.credentials)
    except jwt.InvalidTokenError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED) from error
    if caller != user_id:
        raise HTTPException(status.HTTP_403_FORBIDDEN)
    return user_id


Owner = Annotated[str, Depends(require_owner)]
Session = Annotated[AsyncSession, Depends(open_session)]


async def require_task(owner: Owner, session: Session, task_id: UUID) -> Task:
    query = select(Task).where(Task.id == task_id, Task.user_id == owner)
    if (task := await session.scalar(query)) is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return task


Found = Annotated[Task, Depends(require_task)]


@app.get("/api/tasks/{user_id}/tasks", response_model=list[TaskRead])
async def list_tasks(
    owner: Owner, session: Session, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> Any:
    newest = (Task.created_at.desc(), Task.id.desc())
    query = select(Task).where(Task.user_id == owner).order_by(*newest).limit(limit)
    return (await session.scalars(query)).all()


@app.post("/api/tasks/{user_id}/tasks", response_model=TaskRead, status_code=201)
async def create_task(owner: Owner, session: Session, new: NewTask) -> Any:
    task = Task(user_id=owner, **new.model_dump())
    session.add(task)
    await session.commit()
    return task


@app.get("/api/tasks/{user_id}/tasks/{task_id}", response_model=TaskRead)
async def get_task(task: Found) -> Any:
    return task


@app.put("/api/tasks/{user_id}/tasks/{task_id}", response_model=TaskRead)
async def update_task(task: Found, session: Session, new: NewTask) -> Any:
    for name, value in new:
        setattr(task, name, value)
    await session.commit()
    return task


@app.patch("/api/tasks/{user_id}/tasks/{task_id}/complete", response_model=TaskRead)
async def complete_task(task: Found, session: Session, completion: Completion) -> Any:
    task.completed = completion.completed
    await session.commit()
    return task


@app.delete("/api/tasks/{user_id}/tasks/{task_id}", status_code=204)
async def delete_task(task: Found, session: Session) -> None:
    await session.delete(task)
    await session.commit()
