"""The TypeScript client of `docs/sync.md` keeps a copy in step with a service that runs.

Needs Node and npm: `tox -e clients` runs it.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.clients.projects import LOCKED
from tests.clients.task_copies import PAGE_SIZE, TaskCopyContract
from tests.markdown_code import DOCS
from tests.processes import environment

pytestmark = pytest.mark.clients

PROGRAM = Path(__file__).with_name("task_copy") / "run.ts"
OPTIONS = {
    "module": "nodenext",
    "target": "es2023",
    "types": ["node"],
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "noPropertyAccessFromIndexSignature": True,
    "erasableSyntaxOnly": True,
    "verbatimModuleSyntax": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
}
"""The compiler's strictest, as a reader's project may have it."""


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory, path: str) -> Path:
    """The client and a program that runs it, compiled for Node."""
    folder = tmp_path_factory.mktemp("task_copy")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS}))
    (folder / "node_modules").symlink_to(LOCKED / "node_modules")
    for file in (DOCS / "sync" / "task-copy.ts", PROGRAM):
        (folder / file.name).write_text(file.read_text())
    compiler = LOCKED / "node_modules" / ".bin" / "tsc"
    done = _run([str(compiler)], folder, PATH=path)
    assert done.returncode == 0, done.stdout
    return folder / "run.js"


class TypeScriptCopy:
    """The client, in a process of its own for each run."""

    def __init__(self, program: Path, file: Path) -> None:
        self._program = program
        self._file = file

    def update(self, url: str, token: str) -> bool:
        """Apply all changes; return whether it came to the end."""
        command = ["node", str(self._program), url, str(self._file), str(PAGE_SIZE)]
        done = _run(command, self._file.parent, TOKEN=token)
        assert ("the sync failed: 503" in done.stderr) == (done.returncode != 0), done.stderr
        return done.returncode == 0

    def stored(self) -> dict[str, Any]:
        """Return the stored lists and tasks by id."""
        return {one["id"]: one for _, one in json.loads(self._file.read_text())["entities"]}


class TestTypeScript(TaskCopyContract):
    """The tests of every client, on this one."""

    @pytest.fixture
    def client(self, program: Path, tmp_path: Path) -> TypeScriptCopy:
        """The client without a file."""
        return TypeScriptCopy(program, tmp_path / "copy.json")


def _run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
