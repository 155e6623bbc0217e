"""`taskservice export` and `import`: one user's tasks as JSON Lines."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
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
from taskservice.cli.progress import plural, print_message, progress, readable
from taskservice.config import ConfigError
from taskservice.core.changes import kind_of
from taskservice.core.entity import Entity
from taskservice.core.owner_data import OwnerData, Refusal, iterate
from taskservice.core.query import Query
from taskservice.core.task import Task
from taskservice.core.workspace import STORED_TYPES, Workspace

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
    """Export USER's lists, tasks and trash as JSON Lines, oldest first, each with its type.

    All of it is as it was at one moment. The default FILE is standard output. A regular
    FILE is replaced when the export is complete. A new file is readable by its owner only
    (mode 0600); an existing one keeps its mode.
    """
    # Open the output first: a later descriptor could be the one that FILE names.
    with (
        output_file(file, PRIVATE_MODE) as write,
        SqlStorage(checked_engine(database)).open_snapshot(user) as workspace,
    ):
        counts = [_export(workspace, entity_type, write) for entity_type in STORED_TYPES]
    click.echo(f"exported {', '.join(counts)} of {user}", err=True)


def _export(
    workspace: Workspace, entity_type: type[Entity], write: Callable[[bytes], object]
) -> str:
    """Write all entities of a type; return their number with the name of the type."""
    repository = workspace.repository(entity_type)
    total = repository.list(Query(limit=1, with_total=True)).total
    name = readable(entity_type.type_name)
    with progress(f"exporting {name}s", total) as advance:
        count = 0
        for entity in iterate(repository):
            write(format_entity(entity))
            advance(1)
            count += 1
    return plural(count, name)


@click.command("import")
@user_argument
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--dry-run", is_flag=True, help="Validate every line and import nothing.")
@database_option
def import_tasks(user: str, file: BinaryIO, dry_run: bool, database: str | None) -> None:
    """Import USER's lists, tasks and trash from JSON Lines of any version, in any order.

    The default FILE is standard input. Lists and tasks keep their ids, times and
    versions. One that exists already is skipped, so that an interrupted
    import can be run again. Nothing is ever overwritten. Each line
    that cannot be imported is printed with the reason, and the exit status is
    then 2. Members that this version does not know are named, and not imported.
    """
    owner_data = None if dry_run else SqlOwnerData(checked_engine(database), user)
    total = imported = 0
    waiting: dict[int, Refusal] = {}
    unknown: set[str] = set()
    with progress("importing", _file_size(file)) as advance:
        lines = read_lines(file)
        while batch := list(islice(lines, BATCH_SIZE)):
            parsed = dict(_parse(user, batch))
            names = {name for one in parsed.values() for name in one.unknown - unknown}
            unknown.update(islice(names, NAMES_SHOWN + 1 - len(unknown)))
            count, later = _import_batch(owner_data, {n: one.entity for n, one in parsed.items()})
            total, imported = total + len(batch), imported + count
            waiting.update(later)
            advance(sum(line.size for line in batch))
    if owner_data:
        imported += _import_waiting(owner_data, waiting)
    if unknown:
        print_message(f"this version does not know, and did not import: {_printable(unknown)}")
    result = "valid" if dry_run else "imported"
    if imported < total:
        raise ConfigError(
            f"{plural(total - imported, 'line')} not {result}; {plural(imported, 'line')} {result}"
        )
    click.echo(f"{plural(imported, 'line')} {result}")


def _import_batch(
    owner_data: OwnerData | None, entities: Mapping[int, Entity]
) -> tuple[int, dict[int, Refusal]]:
    """Import entities by line number, and print why others are refused.

    Return the number of imported ones, and those whose references may come later.
    """
    refusals = owner_data.import_entities([*entities.values()]) if owner_data else []
    refused = {one.entity: one for one in refusals}
    lines = {n: refused[entity] for n, entity in entities.items() if entity in refused}
    later = {number: one for number, one in lines.items() if one.is_waiting}
    _print_refusals({number: one for number, one in lines.items() if number not in later})
    return len(entities) - len(lines), later


def _import_waiting(owner_data: OwnerData, waiting: dict[int, Refusal]) -> int:
    """Import entities whose references came later, level by level; return their number."""
    imported = 0
    while waiting:
        still_waiting: dict[int, Refusal] = {}
        lines = iter(waiting.items())
        while batch := {number: one.entity for number, one in islice(lines, BATCH_SIZE)}:
            count, later = _import_batch(owner_data, batch)
            imported += count
            still_waiting.update(later)
        if len(still_waiting) == len(waiting):
            _print_refusals(still_waiting)
            break
        waiting = still_waiting
    return imported


def _print_refusals(refusals: Mapping[int, Refusal]) -> None:
    for number, refusal in refusals.items():
        print_message(f"line {number}: {_reason(refusal)}")


def _reason(refusal: Refusal) -> str:
    if not refusal.errors:
        kind = kind_of(refusal.entity.change_type("created"))
        place = ", perhaps in the trash" if kind == Task.type_name else ""
        return f"a different {kind} with this id exists{place}; it was kept"
    return "; ".join(f"{one.field} {one.detail}" for one in refusal.errors)


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
