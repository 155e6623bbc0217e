"""`taskservice export` and `import`: one user's tasks as JSON Lines."""

import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.cli.jsonlines import (
    InvalidLine,
    Line,
    Parsed,
    format_entity,
    parse_entity,
    read_lines,
)
from taskservice.cli.options import checked_engine, database_option, user_argument
from taskservice.cli.output_file import PRIVATE_MODE, STANDARD_OUTPUT, output_file
from taskservice.cli.progress import plural, print_message, progress
from taskservice.config import ConfigError
from taskservice.core.entity import Entity
from taskservice.core.owner_data import OwnerData, iterate
from taskservice.core.query import Query
from taskservice.core.workspace import ENTITY_TYPES, Workspace

BATCH_SIZE = 200
"""Lines per transaction."""

NAMES_SHOWN = 10
NAME_LIMIT = 40
"""Unknown members that a message names, and how much of each name."""


@click.command("export")
@user_argument
@click.argument("file", type=click.Path(dir_okay=False), default=STANDARD_OUTPUT)
@database_option
def export_tasks(user: str, file: str, database: str | None) -> None:
    """Export USER's tasks as JSON Lines, oldest first, each with its type.

    The default FILE is standard output. A regular FILE is replaced when the
    export is complete. A new file is readable by its owner only (mode 0600);
    an existing one keeps its mode.
    """
    # Open the output first: a later descriptor could be the one that FILE names.
    with (
        output_file(file, PRIVATE_MODE) as write,
        SqlStorage(checked_engine(database)).open_workspace(user) as workspace,
    ):
        counts = [_export(workspace, entity_type, write) for entity_type in ENTITY_TYPES]
    click.echo(f"exported {', '.join(counts)} of {user}", err=True)


def _export(
    workspace: Workspace, entity_type: type[Entity], write: Callable[[bytes], object]
) -> str:
    """Write all entities of a type; return their number with the name of the type."""
    repository = workspace.repository(entity_type)
    total = repository.list(Query(limit=1, with_total=True)).total
    with progress(f"exporting {entity_type.type_name}s", total) as advance:
        count = 0
        for entity in iterate(repository):
            write(format_entity(entity))
            advance(1)
            count += 1
    return plural(count, entity_type.type_name)


@click.command("import")
@user_argument
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--dry-run", is_flag=True, help="Validate every line and import nothing.")
@database_option
def import_tasks(user: str, file: BinaryIO, dry_run: bool, database: str | None) -> None:
    """Import USER's tasks from JSON Lines, which any version may have exported.

    The default FILE is standard input. Each task keeps its id, times and
    version. A task that exists already is skipped, so that an interrupted
    import can be run again. An existing task is never overwritten. Each line
    that cannot be imported is printed with the reason, and the exit status is
    then 2. Members that this version does not know are named, and not imported.
    """
    owner_data = None if dry_run else SqlOwnerData(checked_engine(database), user)
    imported = rejected = 0
    unknown: set[str] = set()
    with progress("importing", _file_size(file)) as advance:
        lines = read_lines(file)
        while batch := list(islice(lines, BATCH_SIZE)):
            parsed = dict(_parse(user, batch))
            names = {name for one in parsed.values() for name in one.unknown - unknown}
            unknown.update(islice(names, NAMES_SHOWN + 1 - len(unknown)))
            count = _import_batch(owner_data, {n: one.entity for n, one in parsed.items()})
            imported, rejected = imported + count, rejected + len(batch) - count
            advance(sum(line.size for line in batch))
    if unknown:
        print_message(f"this version does not know, and did not import: {_printable(unknown)}")
    result = "valid" if dry_run else "imported"
    if rejected:
        raise ConfigError(
            f"{plural(rejected, 'line')} not {result}; {plural(imported, 'line')} {result}"
        )
    click.echo(f"{plural(imported, 'line')} {result}")


def _import_batch(owner_data: OwnerData | None, entities: dict[int, Entity]) -> int:
    """Import entities by line number, and print conflicts; return the number of imported ones."""
    conflicts = owner_data.import_entities(list(entities.values())) if owner_data else []
    for number, entity in entities.items():
        if entity in conflicts:
            print_message(
                f"line {number}: a different {entity.type_name} with this id exists; it was kept"
            )
    return sum(entity not in conflicts for entity in entities.values())


def _parse(user: str, batch: list[Line]) -> Iterator[tuple[int, Parsed]]:
    for line in batch:
        try:
            yield line.number, parse_entity(line.octets, user)
        except InvalidLine as error:
            print_message(f"line {line.number}: {error}")


def _printable(names: set[str]) -> str:
    """Return the first of the names of members; other characters than letters are replaced."""
    shown = sorted(re.sub(r"\W", "?", name, flags=re.ASCII)[:NAME_LIMIT] for name in names)
    more = " and more" if len(shown) > NAMES_SHOWN else ""
    return f"{', '.join(shown[:NAMES_SHOWN])}{more}"


def _file_size(file: BinaryIO) -> int | None:
    """Return the size of a file in bytes, None if it cannot be known."""
    return os.fstat(file.fileno()).st_size if file.seekable() else None
