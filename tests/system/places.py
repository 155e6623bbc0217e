"""A database for commands, and files of entities as `export` writes them."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.databases import service_engine
from tests.processes import COMMAND, run

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.cli.jsonlines import format_entity
from taskservice.core.entity import Entity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.owner_data import OwnerCounts
from taskservice.core.sample_tasks import sample_lists, sample_tasks
from taskservice.testing import ADA, START


class Place(NamedTuple):
    """A database: as the service enters it, and as its owner does; a folder beside it."""

    service: str
    owner: str
    folder: Path

    def __call__(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as the service's role."""
        return run([*COMMAND, *arguments], self.folder, DATABASE_URL=self.service, **settings)

    def maintain(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as the tables' owner."""
        return run([*COMMAND, *arguments], self.folder, DATABASE_URL=self.owner)

    def exported(self, user: str = ADA) -> str:
        result = self("export", user)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def held(self, user: str = ADA) -> OwnerCounts:
        engine = service_engine(self.service)
        try:
            return SqlOwnerData(engine, user).count()
        finally:
            engine.dispose()


def lines_of(entities: Iterable[Entity]) -> list[dict[str, Any]]:
    """Return entities as `export` writes them."""
    return [json.loads(format_entity(one)) for one in entities]


def lines(count: int, user: str = ADA) -> list[dict[str, Any]]:
    """Return the lines of tasks."""
    return lines_of(sample_tasks(user, count, START, TimeOrderedIds()))


def tree_lines(count: int) -> list[dict[str, Any]]:
    """Return the lines of lists and of tasks in them, some of which are sub-tasks."""
    new_id = TimeOrderedIds()
    lists = sample_lists(ADA, START, new_id)
    return lines_of([*lists, *sample_tasks(ADA, count, START, new_id, lists=lists)])


def shuffled(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return lines in another order."""
    return Random(0).sample(members, len(members))  # noqa: S311


def text_of(*members: Any) -> str:
    """Return lines as text."""
    return "".join(
        f"{json.dumps(one, ensure_ascii=False, separators=(',', ':'))}\n" for one in members
    )


def file_of(folder: Path, *members: Any) -> Path:
    """Return a file of lines."""
    file = folder / "tasks.jsonl"
    file.write_text(text_of(*members))
    return file
