"""`taskservice export` and `import`: one user's tasks as JSON Lines."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.cli.jsonlines import InvalidLine, Line, format_entity, parse_entity, read_lines
from taskservice.cli.options import checked_engine, database_option, user_argument
from taskservice.cli.output_file import PRIVATE_MODE, STANDARD_OUTPUT, output_file
from taskservice.cli.progress import print_message, progress
from taskservice.config import ConfigError
from taskservice.core.entity import Entity
from taskservice.core.owner_data import OwnerData, iterate
from taskservice.core.query import TaskQuery

BATCH_SIZE = 200
"""Lines per transaction."""


@click.command("export")
@user_argument
@click.argument("file", type=click.Path(dir_okay=False), default=STANDARD_OUTPUT)
@database_option
def export_tasks(user: str, file: str, database: str | None) -> None:
    """Export USER's tasks as JSON Lines, oldest first.

    The default FILE is standard output. A regular FILE is replaced when the
    export is complete. A new file is readable by its owner only (mode 0600);
    an existing one keeps its mode.
    """
    # Open the output first: a later descriptor could be the one that FILE names.
    with (
        output_file(file, PRIVATE_MODE) as write,
        SqlStorage(checked_engine(database)).open_workspace(user) as workspace,
    ):
        total = workspace.tasks.list(TaskQuery(limit=1, with_total=True)).total
        with progress("exporting", total) as advance:
            count = 0
            for task in iterate(workspace.tasks):
                write(format_entity(task))
                advance(1)
                count += 1
    click.echo(f"exported {_tasks(count)} of {user}", err=True)


@click.command("import")
@user_argument
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--dry-run", is_flag=True, help="Validate every line and import nothing.")
@database_option
def import_tasks(user: str, file: BinaryIO, dry_run: bool, database: str | None) -> None:
    """Import USER's tasks from JSON Lines.

    The default FILE is standard input. Each task keeps its id, times and
    version. A task that exists already is skipped, so that an interrupted
    import can be run again. An existing task is never overwritten. Each line
    that cannot be imported is printed with the reason, and the exit status is
    then 2.
    """
    owner_data = None if dry_run else SqlOwnerData(checked_engine(database), user)
    imported = rejected = 0
    with progress("importing", _file_size(file)) as advance:
        lines = read_lines(file)
        while batch := list(islice(lines, BATCH_SIZE)):
            count = _import_batch(owner_data, user, batch)
            imported, rejected = imported + count, rejected + len(batch) - count
            advance(sum(line.size for line in batch))
    result = "valid" if dry_run else "imported"
    if rejected:
        raise ConfigError(f"{_lines(rejected)} not {result}; {_lines(imported)} {result}")
    click.echo(f"{_lines(imported)} {result}")


def _import_batch(owner_data: OwnerData | None, user: str, batch: list[Line]) -> int:
    """Import the valid lines and print the others; return the number of imported lines."""
    parsed = dict(_parse(user, batch))
    conflicts = owner_data.import_entities(list(parsed.values())) if owner_data else []
    for number, task in parsed.items():
        if task in conflicts:
            print_message(f"line {number}: a different task with this id exists; it was kept")
    return sum(task not in conflicts for task in parsed.values())


def _parse(user: str, batch: list[Line]) -> Iterator[tuple[int, Entity]]:
    for line in batch:
        try:
            yield line.number, parse_entity(line.octets, user)
        except InvalidLine as error:
            print_message(f"line {line.number}: {error}")


def _file_size(file: BinaryIO) -> int | None:
    """Return the size of a file in bytes, None if it cannot be known."""
    return os.fstat(file.fileno()).st_size if file.seekable() else None


def _lines(count: int) -> str:
    return f"{count} {'line' if count == 1 else 'lines'}"


def _tasks(count: int) -> str:
    return f"{count} {'task' if count == 1 else 'tasks'}"
