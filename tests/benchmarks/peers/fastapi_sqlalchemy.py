"""FastAPI, SQLAlchemy's asynchronous ORM and asyncpg: what an experienced user would pick.

A task has the members of the service's, and its values are validated one by one. There
are no lists, moves, series or rules about dates, no columns for the search, no row-level
security, no change log and no idempotency keys. PUT replaces all that a user sets.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, Request, status
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import ARRAY, DateTime, SmallInteger, String, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates
from sqlalchemy.orm.exc import StaleDataError
from tests.benchmarks.peers.callers import DATABASE, POOL_SIZE, subject

CLOSED = ("completed", "cancelled")
FIRST_POSITION = "01932d0e5f0acc31"

Status = Literal["needs-action", "in-process", "completed", "cancelled"]
DateOrTime = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$")]
Label = Annotated[str, Field(min_length=1, max_length=100)]


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
    status: Mapped[str] = mapped_column(String(16))
    due: Mapped[str | None] = mapped_column(String(19))
    start: Mapped[str | None] = mapped_column(String(19))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    labels: Mapped[list[str]] = mapped_column(ARRAY(String(100)))
    list_id: Mapped[UUID | None]
    parent_id: Mapped[UUID | None]
    recurrence: Mapped[str | None] = mapped_column(String(255))
    repeats_from: Mapped[str] = mapped_column(String(16))
    occurrence: Mapped[str | None] = mapped_column(String(19))
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    version: Mapped[int] = mapped_column()
    position: Mapped[str] = mapped_column(String(255), default=FIRST_POSITION)
    series_id: Mapped[UUID | None]
    next_id: Mapped[UUID | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @validates("completed")
    def set_completed_at(self, _: str, completed: bool) -> bool:
        if completed != self.completed:
            self.completed_at = now() if completed else None
        return completed


class TaskBase(BaseModel):
    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=10_000)
    completed: bool = False
    status: Status = "needs-action"
    due: DateOrTime | None = None
    start: DateOrTime | None = None
    time_zone: str | None = Field(default=None, max_length=64)
    priority: int | None = Field(default=None, ge=1, le=9)
    labels: list[Label] = Field(default=[], max_length=50)
    list_id: UUID | None = None
    parent_id: UUID | None = None
    recurrence: str | None = Field(default=None, max_length=255)
    repeats_from: Literal["schedule", "completion"] = "schedule"
    occurrence: DateOrTime | None = None


class NewTask(TaskBase):
    @model_validator(mode="after")
    def match_status(self) -> Self:
        if "status" not in self.model_fields_set:
            self.status = "completed" if self.completed else "needs-action"
        if "completed" not in self.model_fields_set:
            self.completed = self.status in CLOSED
        if self.completed != (self.status in CLOSED):
            raise ValueError("completed does not agree with status")
        return self


class Completion(BaseModel):
    completed: bool


class TaskRead(TaskBase):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: str
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    position: str
    series_id: UUID | None
    next_id: UUID | None


engine = create_async_engine(
    make_url(DATABASE).set(drivername="postgresql+asyncpg"), pool_size=POOL_SIZE, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


@app.exception_handler(StaleDataError)
async def answer_conflict(request: Request, error: StaleDataError) -> JSONResponse:
    return JSONResponse({"detail": "Changed by another request"}, status.HTTP_409_CONFLICT)


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
    if task.completed != completion.completed:
        task.completed = completion.completed
        task.status = "completed" if completion.completed else "needs-action"
    await session.commit()
    return task


@app.delete("/api/tasks/{user_id}/tasks/{task_id}", status_code=204)
async def delete_task(task: Found, session: Session) -> None:
    await session.delete(task)
    await session.commit()
