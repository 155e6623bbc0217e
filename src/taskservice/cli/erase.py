"""`taskservice erase`: the right to be forgotten."""

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerDataSource
from taskservice.cli.options import current_engine, database_option, user_argument
from taskservice.config import ConfigError
from taskservice.core.errors import AccessDenied
from taskservice.core.owner_data import ErasureIncomplete, OwnerCounts


@click.command()
@user_argument
@click.option("--dry-run", is_flag=True, help="Say how much there is, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
def erase(user: str, dry_run: bool, yes: bool, database: str | None) -> None:
    """Remove all tasks of USER, and what their keys were used for, which holds tasks as well.

    Run it as the role that owns the tables. It is one transaction: all is
    removed, or nothing. An SQLite file is written again without it; where that
    cannot be done yet, run it again.
    """
    archive = SqlOwnerDataSource(current_engine(database)).open_owner_data(user)
    there = archive.count()
    click.echo(f"{user} has {_told(there)}")
    if dry_run:
        return
    if any(there) and not yes:
        click.confirm("Remove all of it, for good?", abort=True)
    try:
        click.echo(f"removed {_told(archive.erase())}")
    except ErasureIncomplete as error:
        raise ConfigError(
            f"removed {_told(error.removed)}, but {error}; run `taskservice erase {user}` again"
        ) from None
    except AccessDenied as error:
        raise ConfigError(f"nothing was removed: {error}; erase as the tables' owner") from None


def _told(count: OwnerCounts) -> str:
    tasks, receipts = count
    return f"{_number(tasks, 'task')} and {_number(receipts, 'receipt')}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
