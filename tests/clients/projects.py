"""A project as Vite makes it for a page: by the page's own command, with the packages of a lock."""

import json
import re
import subprocess
from pathlib import Path

from tests.processes import environment

LOCKED = Path(__file__).with_name("vite")
"""The same project, after the page's commands that install; what npm brings is pinned there."""

NPX = re.compile(r"^npx -y (create-vite)@[\d.]+ ")


def make_project(command: str, folder: Path, path: str) -> None:
    """Make the project of the page, by the create-vite of the lock, and give it its packages."""
    program, replaced = NPX.subn(r"\1 ", command)
    assert replaced, command
    subprocess.run(
        ["sh", "-c", program],
        cwd=folder.parent,
        env=environment(PATH=path),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    assert not missing(folder), "make tests/clients/vite anew, with the commands of the page"
    (folder / "node_modules").symlink_to(LOCKED / "node_modules")


def missing(folder: Path) -> set[tuple[str, str]]:
    """Return what the project asks for and the locked one does not."""
    made, locked = (
        json.loads((one / "package.json").read_text())["devDependencies"].items()
        for one in (folder, LOCKED)
    )
    return set(made - locked)
