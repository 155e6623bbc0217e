"""The service as others install it: in a virtual environment that has nothing else."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.processes import environment


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

    def add(self, *wanted: str) -> None:
        """Install something; what is never imported need not be compiled."""
        self("pip", "install", "-q", "--disable-pip-version-check", "--no-compile", *wanted)


def interpreter(version: str) -> str:
    """Return a Python of that version, on the path or of pyenv; skip, and say so, where none is."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*pyenv.glob(f"versions/{version}.*/bin"), *map(Path, os.get_exec_path())]
    found = next(filter(runs, (folder / f"python{version}" for folder in folders)), None)
    if found is None:
        pytest.skip(f"NOT TESTED on Python {version}: there is none on this machine")
    return str(found)


def runs(python: Path) -> bool:
    """Tell whether a Python is there and runs: pyenv has names on the path that lead nowhere."""
    if not os.access(python, os.X_OK):
        return False
    tried = subprocess.run([python, "-c", ""], check=False, stderr=subprocess.DEVNULL)
    return tried.returncode == 0


def install(folder: Path, python: str, archive: Path) -> Installed:
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    here = Installed(folder)
    here.add(str(archive))
    return here
