"""`taskservice export` and `import`: one user's tasks as JSON Lines, out and in again."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerDataSource
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.cli.jsonlines import BadLine, Line, lines_of, read, write
from taskservice.cli.options import current_engine, database_option, user_argument
from taskservice.cli.output import PRIVATE, STANDARD_OUTPUT, output
from taskservice.cli.progress import progress, tell
from taskservice.config import ConfigError
from taskservice.core.owner_data import OwnerData, every_task
from taskservice.core.query import TaskQuery
from taskservice.core.task import Task

BATCH = 200
"""How many lines are stored in one transaction."""


@click.command("export")
@user_argument
@click.argument("file", type=click.Path(dir_okay=False), default=STANDARD_OUTPUT)
@database_option
def export_tasks(user: str, file: str, database: str | None) -> None:
    """Write the tasks of USER to FILE, or to standard output: JSON Lines, the oldest task first.

    A regular FILE is replaced when the export is complete. A new one is
    readable by its owner alone (0600); an existing one keeps its mode.
    """
    # The output comes first: no descriptor that FILE names is one of ours.
    with (
        output(file, PRIVATE) as put,
        SqlTasks(current_engine(database)).open_tasks(user) as tasks,
    ):
        total = tasks.list(TaskQuery(limit=1, counted=True)).total
        with progress("exporting", total) as advance:
            count = 0
            for task in every_task(tasks):
                put(write(task))
                advance(1)
                count += 1
    click.echo(f"exported {_tasks(count)} of {user}", err=True)


@click.command("import")
@user_argument
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--dry-run", is_flag=True, help="Look at every line, and store nothing.")
@database_option
def import_tasks(user: str, file: BinaryIO, dry_run: bool, database: str | None) -> None:
    """Store the tasks of USER that `export` has written to FILE, or to standard input.

    Each task is stored as it stands: id, times, version. One that is there
    already is not stored again, so that an import that broke off is run again.
    One that is there in another state stays as it is. Each line that is not
    stored is told, with the reason, and the exit status is then 2.
    """
    archive = (
        None if dry_run else SqlOwnerDataSource(current_engine(database)).open_owner_data(user)
    )
    good = bad = 0
    with progress("importing", _size(file)) as advance:
        lines = lines_of(file)
        while batch := list(islice(lines, BATCH)):
            stored = _store(archive, user, batch)
            good, bad = good + stored, bad + len(batch) - stored
            advance(sum(line.size for line in batch))
    if bad:
        raise ConfigError(f"{_lines(bad)} not stored; {_lines(good)}{_done(dry_run)}")
    click.echo(f"{_lines(good)}{_done(dry_run)}")


def _store(archive: OwnerData | None, user: str, batch: list[Line]) -> int:
    """Store the lines that are tasks, tell the others; return how many were stored."""
    found = dict(_read(user, batch))
    left = archive.restore(list(found.values())) if archive else []
    for number, task in found.items():
        if task in left:
            tell(f"line {number}: the task is there in another state, and stays as it is")
    return sum(task not in left for task in found.values())


def _read(user: str, batch: list[Line]) -> Iterator[tuple[int, Task]]:
    for line in batch:
        try:
            yield line.number, read(line.octets, user)
        except BadLine as error:
            tell(f"line {line.number}: {error}")


def _size(file: BinaryIO) -> int | None:
    """Return the size of a file in bytes, None of what is no file."""
    return os.fstat(file.fileno()).st_size if file.seekable() else None


def _lines(count: int) -> str:
    return f"{count} {'line is' if count == 1 else 'lines are'}"


def _tasks(count: int) -> str:
    return f"{count} {'task' if count == 1 else 'tasks'}"


def _done(dry_run: bool) -> str:
    return " good" if dry_run else " stored"
