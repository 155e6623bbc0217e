"""What is released: a wheel and a source archive that need nothing but what they name."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.http_callers import token_of
from tests.processes import ROOT, running
from tests.release.installation import Installed
from tests.secret_values import SECRET

import taskservice
from taskservice.adapters.sql.schema import VERSIONS

pytestmark = [pytest.mark.release, pytest.mark.timeout(600)]

NEEDS_AN_EXTRA = {
    "taskservice.adapters.ratelimit.redis_counters": "redis",
    "taskservice.adapters.tracing.spans": "opentelemetry",
    "taskservice.testing": "hypothesis",
}
IMPORT_ALL = """\
import json, pkgutil, taskservice
from importlib import import_module
missing = {}
for module in pkgutil.walk_packages(taskservice.__path__, "taskservice."):
    if not module.name.endswith((".__main__", ".migrations.env")):
        try:
            import_module(module.name)
        except ImportError as error:
            missing[module.name] = error.name
print(json.dumps(missing))
"""
OTHERS_CODE = """\
from uuid import UUID
from taskservice.testing import OpenTasks
from taskservice.core.task import Task

def read(open_tasks: OpenTasks, task_id: UUID) -> Task:
    with open_tasks("ada") as tasks:
        return tasks.get(task_id)
"""


def test_the_version_is_in_one_place(released: Path) -> None:
    """Both archives are called after `taskservice.__version__`."""
    names = {file.name for file in released.iterdir()}
    version = taskservice.__version__
    assert names == {f"taskservice-{version}-py3-none-any.whl", f"taskservice-{version}.tar.gz"}


def test_the_wheel_has_all_of_the_package_and_nothing_else(wheel: Path) -> None:
    """Migrations, pages and types go along; tests and documents do not."""
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = ROOT / "src" / "taskservice"
    ours = (file for file in package.rglob("*") if file.is_file() and file.suffix != ".pyc")
    assert packed == {str(file.relative_to(ROOT / "src")) for file in ours}
    assert {"taskservice/py.typed", "taskservice/adapters/http/pages/static/start.js"} <= packed


def test_it_names_all_that_it_needs(installed: Installed) -> None:
    """Each dependency is there, in a version that the others accept."""
    assert "No broken requirements" in installed("pip", "check")
    assert taskservice.__version__ in installed("taskservice", "--version")


def test_no_module_needs_what_is_not_named(installed: Installed, tmp_path: Path) -> None:
    """Every module can be imported, but for those that an extra is for."""
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/t.db", "TASKSERVICE_JWT_SECRET": SECRET}
    installed("taskservice", "db", "upgrade", **settings)
    assert json.loads(installed.run("-c", IMPORT_ALL, **settings)) == NEEDS_AN_EXTRA


def test_it_is_served_from_the_wheel(installed: Installed, tmp_path: Path) -> None:
    """`db upgrade`, then gunicorn with the settings of the package: a task is made, pages show."""
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/tasks.db",
        "TASKSERVICE_JWT_SECRET": SECRET,
        "WEB_CONCURRENCY": "1",
    }
    installed("taskservice", "db", "upgrade", **settings)
    server = [
        installed.python,
        "-m",
        "gunicorn",
        "--config",
        "python:taskservice.server.gunicorn_conf",
    ]
    command = [*server, "--bind", "127.0.0.1:0", "taskservice.wsgi:app"]
    with running(command, tmp_path, **settings) as service:
        made = service("POST", "/api/tasks/ada/tasks", token_of("ada"), {"title": "Buy milk"})
        assert made.status == 201
        for page in ("/", "/docs", "/docs/start.js", "/readyz", "/openapi.json"):
            assert service("GET", page).status == 200, page


def test_its_types_are_those_of_others_code(installed: Installed, tmp_path: Path) -> None:
    """mypy --strict believes what the wheel says of itself, and notices what it does not say."""
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(OTHERS_CODE)
    bad.write_text(OTHERS_CODE.replace("get(task_id)", "get(str(task_id))"))
    assert checked(installed, good) == (0, "")
    status, logged = checked(installed, bad)
    assert (status, "incompatible type" in logged) == (1, True)


def checked(installed: Installed, file: Path) -> tuple[int, str]:
    command = ["mypy", "--strict", "--no-error-summary", "--config-file=", "--cache-dir=/dev/null"]
    result = subprocess.run(
        [sys.executable, "-m", *command, f"--python-executable={installed.python}", file.name],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def test_the_source_archive_has_what_it_is_built_from(source: Path) -> None:
    """It carries its licence, and what it says of itself."""
    with tarfile.open(source) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE"} <= names


def test_the_source_archive_installs(installed: Installed, source: Path, tmp_path: Path) -> None:
    """It is built and installed in place of the wheel, and makes a database."""
    installed.add("--no-deps", "--force-reinstall", str(source))
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/tasks.db"}
    logged = installed("taskservice", "db", "upgrade", **settings)
    assert logged == f"the schema is at version {VERSIONS[-1]}\n"
