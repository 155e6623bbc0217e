"""What the clients need: programs that are no Python packages, and a service to talk to."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.homes import Home, served
from tests.postgres import Databases
from tests.processes import Service, gunicorn, gunicorn_command
from tests.support import SECRET

MODULES = Path(__file__).with_name("node_modules")
ANNOTATIONS = Path("/usr/share/java/geronimo-annotation-1.3-spec.jar")
NEEDED = {"node": "nodejs", "npx": "npm", "java": "a JRE", "javac": "default-jdk-headless"}


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """What is missing is named; no test is skipped for it."""
    missing = [f"{name} ({source})" for name, source in NEEDED.items() if not shutil.which(name)]
    if not ANNOTATIONS.exists():
        missing.append(f"{ANNOTATIONS} (libgeronimo-annotation-1.3-spec-java)")
    if not MODULES.exists():
        missing.append("the packages of tests/clients/package.json (npm ci --prefix tests/clients)")
    if missing:
        raise RuntimeError(f"the clients need {', '.join(missing)}")


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder in which npm's packages are found."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    return tmp_path


@pytest.fixture(scope="session")
def path() -> str:
    """A PATH with the programs of Python's packages and of npm's."""
    return f"{Path(sys.executable).parent}:{MODULES / '.bin'}:{os.environ['PATH']}"


@pytest.fixture
def home(postgresql: Databases) -> Iterator[Home]:
    """An empty PostgreSQL database of its own."""
    with served(postgresql) as home:
        yield home


@pytest.fixture
def service(home: Home, tmp_path: Path) -> Iterator[Service]:
    """The service under gunicorn."""
    with gunicorn(tmp_path, **settings(home)) as service:
        yield service


@pytest.fixture
def grown_service(home: Home, tmp_path: Path) -> Iterator[Service]:
    """The same, whose answers have members that the document does not name."""
    command = gunicorn_command("tests.clients.grown:app")
    with gunicorn(tmp_path, command=command, **settings(home)) as service:
        yield service


def settings(home: Home) -> dict[str, str]:
    return {"DATABASE_URL": home.service, "TASKSERVICE_JWT_SECRET": SECRET}
