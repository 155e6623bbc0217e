"""Databases that were brought up to date by the command, for the service as a process."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.postgres import Databases
from tests.processes import COMMAND, run
from tests.support import SECRET

ROLE = "taskservice_production"


def command(folder: Path, *arguments: str, **settings: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    result = run([*COMMAND, *arguments], folder, **settings)
    assert result.returncode == 0, result.stderr
    return result.stdout


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
        server: Databases = request.getfixturevalue("postgresql")
        address = server.create_database()
        command(tmp_path, "db", "upgrade", DATABASE_URL=address)
        server.execute(f"DROP ROLE IF EXISTS {ROLE}")
        server.execute(f"CREATE ROLE {ROLE} LOGIN")
        command(tmp_path, "db", "grant", ROLE, DATABASE_URL=address)
        served = server.url(urlsplit(address).path.strip("/"), ROLE).replace(
            "postgresql:", "postgres:"
        )
        yield {"DATABASE_URL": served, **settings}
        server.drop_database(address)
        server.execute(f"DROP ROLE {ROLE}")
