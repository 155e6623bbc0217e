"""What the clients need: programs that are no Python packages, and a service to talk to."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.libraries import JARS, MODULES, gather
from tests.clients.projects import LOCKED
from tests.databases import Database, migrated_database
from tests.postgres import Databases
from tests.processes import ROOT, Service, gunicorn, gunicorn_command
from tests.secret_values import SECRET

NEEDED = {"node": "nodejs", "npx": "npm", "javac": "default-jdk-headless", "go": "golang-go"}


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """What is missing is named; no test is skipped for it."""
    missing = [f"{name} ({source})" for name, source in NEEDED.items() if not shutil.which(name)]
    missing += [f"{jar} ({source})" for jar, source in JARS.items() if not jar.exists()]
    for folder in (MODULES.parent, LOCKED):
        if not (folder / "node_modules").exists():
            missing.append(f"npm's packages (npm ci --prefix {folder.relative_to(ROOT)})")
    if missing:
        raise RuntimeError(f"the clients need {', '.join(missing)}")


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libraries of the generated client of Java that Maven would bring."""
    folder = tmp_path_factory.mktemp("java") / "libraries"
    gather(folder)
    return folder


@pytest.fixture
def workplace(tmp_path: Path, libraries: Path) -> Path:
    """A folder in which npm's packages are found, and what Maven would have copied."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "client" / "target").mkdir(parents=True)
    (tmp_path / "client" / "target" / "dependency").symlink_to(libraries)
    return tmp_path


@pytest.fixture(scope="session")
def path() -> str:
    """A PATH with the programs of Python's packages and of npm's."""
    return f"{Path(sys.executable).parent}:{MODULES / '.bin'}:{os.environ['PATH']}"


@pytest.fixture
def database(postgresql: Databases) -> Iterator[Database]:
    """An empty PostgreSQL database of its own."""
    with migrated_database(postgresql) as database:
        yield database


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """The service under gunicorn."""
    with gunicorn(tmp_path, **settings(database)) as service:
        yield service


@pytest.fixture
def grown_service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """The same, whose answers have members that the document does not name."""
    command = gunicorn_command("tests.clients.grown:app")
    with gunicorn(tmp_path, command=command, **settings(database)) as service:
        yield service


@pytest.fixture
def service_before(database: Database, tmp_path: Path) -> Iterator[Service]:
    """The service under gunicorn, with the OpenAPI document of the version before recurrence."""
    command = gunicorn_command("tests.clients.before.service:app")
    with gunicorn(tmp_path, command=command, **settings(database)) as service:
        yield service


def settings(database: Database) -> dict[str, str]:
    return {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
