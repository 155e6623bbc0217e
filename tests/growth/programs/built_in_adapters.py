"""The whole contract on the built-in adapters, with the tables of the metadata."""

from pathlib import Path
from shutil import copy

import pytest
from serve_scratch import make_tables

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.cli.options import checked_engine
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import TickingClock
from taskservice.testing.contract import TaskServiceContract


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables."""
    file = tmp_path_factory.mktemp("empty") / "tasks.db"
    make_tables(f"sqlite:///{file}")
    return file


class TestMemory(TaskServiceContract):
    """In memory."""

    @pytest.fixture
    def open_workspace(self, clock: TickingClock) -> OpenWorkspace:
        return InMemoryStorage(clock).open_workspace


class TestSQLite(TaskServiceContract):
    """On SQLite."""

    @pytest.fixture
    def open_workspace(
        self, clock: TickingClock, tmp_path: Path, empty_database: Path
    ) -> OpenWorkspace:
        engine = checked_engine(f"sqlite:///{copy(empty_database, tmp_path)}")
        return SqlStorage(engine, clock).open_workspace
