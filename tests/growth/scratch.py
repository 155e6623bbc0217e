"""A scratch package: a copy of the source in a folder of its own, to which a test adds lines."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import ndiff
from pathlib import Path
from typing import Any, NamedTuple

from tests.http_callers import token_of
from tests.processes import ROOT, Answer, Service, run, running
from tests.secret_values import SECRET

from taskservice.core.entity import FORM
from taskservice.testing import ADA

SOURCE = ROOT / "src" / "taskservice"
PROGRAMS = Path(__file__).parent / "programs"
NEXT_FORM = FORM + 1

RATING = (
    "    rating: int | None = field(Integer(1, 9), "
    '"From 1 to 9, or null.", '
    f"example=1, default=None, since={NEXT_FORM})\n"
)
"""The statement that adds a plain settable field."""

IMPORT = "from taskservice.core.kinds import Integer"

SORTABLE_RATING = RATING.replace("since=", "sortable=True, since=")


class Client(NamedTuple):
    """A user of a service that runs, who sends requests to one list of entities."""

    service: Service
    user: str = ADA
    list_name: str = "tasks"

    @property
    def path(self) -> str:
        """The path of the list."""
        return f"/api/tasks/{self.user}/{self.list_name}"

    def __call__(self, method: str, path: str = "", body: object = None, **headers: str) -> Answer:
        """Send a request; `path` is relative to the list. `_` in the name of a header is `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.service(method, self.path + path, token_of(self.user), body, **named)

    def at(self, path: str, method: str) -> Answer:
        """Send a request without a body to any path."""
        return self.service(method, path, token_of(self.user))

    def create(self, **fields: object) -> dict[str, Any]:
        """Create an entity and return it."""
        answer = self("POST", body=fields)
        assert answer.status == 201, answer.body
        entity: dict[str, Any] = answer.json
        return entity

    def pages(self, query: str) -> list[list[dict[str, Any]]]:
        """Return the page of a query and all that follow it, by their links."""
        found, link = [], f"?{query}"
        while link:
            answer = self("GET", link)
            assert answer.status == 200, answer.body
            found.append(answer.json)
            link = next_page(answer)
        return found


def next_page(answer: Answer) -> str:
    """Return the query of the next page with its question mark, or "" on the last page."""
    return answer.headers.get("Link", "").partition(">")[0].removeprefix("<")


class Scratch(NamedTuple):
    """The folder of the copy. Programs run there, so that they import the copy."""

    folder: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace the only occurrence of `old` in a file of the package."""
        path = self.folder / "taskservice" / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is not in {file} once"
        path.write_text(text.replace(old, new))

    def append(self, file: str, statement: str) -> None:
        """Add a statement to the last class of a file of the package."""
        path = self.folder / "taskservice" / file
        path.write_text(path.read_text() + statement)

    def add_files(self, folder: Path) -> None:
        """Add new files to the package."""
        new = {path.relative_to(folder) for path in folder.rglob("*.py")}
        assert [file for file in new if (SOURCE / file).exists()] == []
        shutil.copytree(
            folder, self.folder / "taskservice", dirs_exist_ok=True, copy_function=shutil.copy
        )

    def changed_lines(self) -> dict[str, int]:
        """Return how many lines of each existing file are not as they are in the source."""
        counts = {
            str(path.relative_to(SOURCE)): _new_lines(
                path, self.folder / "taskservice" / path.relative_to(SOURCE)
            )
            for path in SOURCE.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        return {file: count for file, count in counts.items() if count}

    def run(self, module: str, *arguments: str) -> str:
        """Run a module to its end and return what it prints."""
        ended = run([sys.executable, "-m", module, *arguments], self.folder)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    @contextmanager
    def served(self, storage: str) -> Iterator[Service]:
        """Serve the copy over "memory" or the database at an address."""
        command = [sys.executable, "-m", "serve_scratch", storage]
        with running(command, self.folder, TASKSERVICE_JWT_SECRET=SECRET) as service:
            yield service


def scratch_package(folder: Path) -> Scratch:
    """Return an unchanged copy of the package, with the programs of these tests."""
    shutil.copytree(SOURCE, folder / "taskservice")
    for program in PROGRAMS.glob("*.py"):
        shutil.copy(program, folder)
    return Scratch(folder)


def add_rating(scratch: Scratch, statement: str = RATING) -> None:
    """Add the field `rating`: a statement with its import, and the next form."""
    scratch.replace("core/task.py", "\nTITLE_LIMIT = ", f"\n{IMPORT}\nTITLE_LIMIT = ")
    end_of_fields = "\n\n@with_fields\nclass Task("
    scratch.replace("core/task.py", end_of_fields, f"{statement}{end_of_fields}")
    scratch.replace("core/entity.py", f"FORM = {FORM}\n", f"FORM = {NEXT_FORM}\n")


def _new_lines(before: Path, after: Path) -> int:
    old, new = before.read_bytes(), after.read_bytes()
    if old == new:
        return 0
    lines = ndiff(old.decode().splitlines(), new.decode().splitlines())
    return sum(line.startswith("+ ") for line in lines)
