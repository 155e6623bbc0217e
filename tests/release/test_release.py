"""What is released: a wheel and a source archive that need nothing but what they name."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest
from tests.http_callers import token_of
from tests.processes import ROOT, environment, running
from tests.support import SECRET

import taskservice

pytestmark = [pytest.mark.release, pytest.mark.timeout(600)]

VERSIONS = ["3.11", "3.12", "3.13"]
NEEDS_AN_EXTRA = {
    "taskservice.adapters.counters.shared": "redis",
    "taskservice.adapters.traces.spans": "opentelemetry",
}
IMPORT_ALL = """\
import json, pkgutil, taskservice
from importlib import import_module
missing = {}
for module in pkgutil.walk_packages(taskservice.__path__, "taskservice."):
    if not module.name.endswith((".__main__", ".migrations.env")):
        try:
            import_module(module.name)
        except ModuleNotFoundError as error:
            missing[module.name] = error.name
print(json.dumps(missing))
"""
OTHERS_CODE = """\
from uuid import UUID
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task

def read(open_tasks: OpenTasks, task_id: UUID) -> Task:
    with open_tasks("ada") as tasks:
        return tasks.get(task_id)
"""


class Installed(NamedTuple):
    """A virtual environment that holds the service, and nothing that the service does not name."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def __call__(self, *arguments: str, **settings: str) -> str:
        """Run a module of it, away from the checkout; return what it prints."""
        return self.run("-m", *arguments, **settings)

    def run(self, *arguments: str, **settings: str) -> str:
        """Run its Python, away from the checkout; return what it prints."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env=environment(**settings),
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what `python -m build` makes of what is committed or new here."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, files.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--outdir", str(made), str(source)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return made


@pytest.fixture(scope="session")
def wheel(released: Path) -> Path:
    (made,) = released.glob("*.whl")
    return made


@pytest.fixture(scope="session", params=VERSIONS)
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """The wheel on each Python that it claims to run on."""
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    yield install(folder, interpreter(request.param), wheel)
    shutil.rmtree(folder)


def interpreter(version: str) -> str:
    """Return a Python of that version, on the path or of pyenv; skip, and say so, where none is."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*pyenv.glob(f"versions/{version}.*/bin"), *os.get_exec_path()]
    found = shutil.which(f"python{version}", path=os.pathsep.join(map(str, folders)))
    if found is None:
        pytest.skip(f"NOT TESTED on Python {version}: there is none on this machine")
    return found


def install(folder: Path, python: str, archive: Path) -> Installed:
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    here = Installed(folder)
    here("pip", "install", "-q", "--disable-pip-version-check", str(archive))
    return here


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
    assert {"taskservice/py.typed", "taskservice/adapters/http/static/start.js"} <= packed


def test_it_names_all_that_it_needs(installed: Installed) -> None:
    """Each dependency is there, in a version that the others accept."""
    assert "No broken requirements" in installed("pip", "check")
    assert taskservice.__version__ in installed("taskservice", "--version")


def test_no_module_needs_what_is_not_named(installed: Installed, tmp_path: Path) -> None:
    """Every module can be imported, but for the two that an extra is for."""
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
    server = [installed.python, "-m", "gunicorn", "--config", "python:taskservice.gunicorn_conf"]
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
    status, told = checked(installed, bad)
    assert (status, "incompatible type" in told) == (1, True)


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


def test_the_source_archive_installs(released: Path, tmp_path: Path) -> None:
    """It builds and installs like the wheel, and carries what makes it a whole."""
    (archive,) = released.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE"} <= names
    here = install(tmp_path / "venv", sys.executable, archive)
    assert taskservice.__version__ in here("taskservice", "--version")
