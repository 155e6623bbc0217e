"""A user of the real application over memory, SQLite and a real PostgreSQL, and who prunes."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, cast

import pytest
from tests.planning.conftest import (
    ada,
    clock,
    database,
    eve,
    open_owner_data,
    open_workspace,
    ports,
    role_engine,
    sqlite,
    superuser_engine,
)

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.admin.prune import prune_changes
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.core.owner_data import OpenOwnerData
from taskservice.core.workspace import OpenWorkspace

__all__ = [
    "ada",
    "clock",
    "database",
    "eve",
    "open_owner_data",
    "open_workspace",
    "ports",
    "role_engine",
    "sqlite",
    "superuser_engine",
]

Prune = Callable[[datetime, datetime], int]
"""Removes what is older than a time from the log, at another time."""


def _admin_engine(storage: Any, request: pytest.FixtureRequest) -> Any:
    """Return an engine of the role that owns the tables."""
    if storage._engine.dialect.name == "sqlite":
        return storage._engine
    return request.getfixturevalue("database").owner_engine


@pytest.fixture
def prune(open_workspace: OpenWorkspace, request: pytest.FixtureRequest) -> Prune:
    """What prunes the log of the same adapter."""
    storage = cast(Any, open_workspace).__self__
    if isinstance(storage, InMemoryStorage):
        return storage.prune_changes
    return partial(prune_changes, _admin_engine(storage, request))


@pytest.fixture
def open_owner_data_as_admin(
    open_workspace: OpenWorkspace, request: pytest.FixtureRequest
) -> OpenOwnerData:
    """The data of the same adapter, for the role that may erase it."""
    storage = cast(Any, open_workspace).__self__
    if isinstance(storage, InMemoryStorage):
        return storage.open_owner_data
    return partial(SqlOwnerData, _admin_engine(storage, request))
