"""What is released, built once, and installed once on each Python."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.processes import ROOT
from tests.release.installation import Installed, install, interpreter

VERSIONS = ("3.11", "3.12", "3.13")


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what `python -m build` makes of what is committed or new here."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(lambda name: (ROOT / name).is_file(), files.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--outdir", str(made), str(source)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return made


@pytest.fixture(scope="session")
def wheel(released: Path) -> Path:
    (made,) = released.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def source(released: Path) -> Path:
    (made,) = released.glob("*.tar.gz")
    return made


@pytest.fixture(scope="session", params=VERSIONS)
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """The wheel on each Python that it claims to run on."""
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    yield install(folder, interpreter(request.param), wheel)
    shutil.rmtree(folder)
