"""Databases that were brought up to date by the command, for the service as a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import Database, migrated_database, sqlite_database
from tests.postgres import Databases
from tests.processes import COMMAND, run
from tests.secret_values import SECRET
from tests.system.places import Place


def command(folder: Path, *arguments: str, **settings: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    result = run([*COMMAND, *arguments], folder, **settings)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def database(postgresql: Databases) -> Iterator[Database]:
    """A migrated database on PostgreSQL, with its roles."""
    with migrated_database(postgresql) as database:
        yield database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def production(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The settings of a service over a migrated database; on PostgreSQL as an ordinary role."""
    tmp_path = tmp_path_factory.mktemp("production")
    settings = {"TASKSERVICE_JWT_SECRET": SECRET}
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/tasks.db"
        command(tmp_path, "db", "upgrade", DATABASE_URL=address)
        yield {"DATABASE_URL": address, **settings}
    else:
        with migrated_database(request.getfixturevalue("postgresql")) as database:
            yield {"DATABASE_URL": database.service.replace("postgresql:", "postgres:"), **settings}


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of each engine; on PostgreSQL an ordinary role, held by its policies."""
    if request.param == "sqlite":
        address = sqlite_database(tmp_path)
        yield Place(address, address, tmp_path)
    else:
        with migrated_database(request.getfixturevalue("postgresql")) as database:
            yield Place(database.service, database.owner, tmp_path)
