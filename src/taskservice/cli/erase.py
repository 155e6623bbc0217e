"""`taskservice erase`: deletes all data of a user."""

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.cli.options import checked_engine, database_option, user_argument
from taskservice.cli.progress import plural, readable
from taskservice.config import ConfigError
from taskservice.core.errors import AccessDenied
from taskservice.core.owner_data import ErasureIncomplete, OwnerCounts


@click.command()
@user_argument
@click.option("--dry-run", is_flag=True, help="Print the counts and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_option
def erase(user: str, dry_run: bool, yes: bool, database: str | None) -> None:
    """Delete USER's tasks, lists and trash, and all copies: the log, and idempotency records.

    Run it as the role that owns the tables. It is one transaction: everything
    is deleted, or nothing. An SQLite file is rewritten (VACUUM), so that no
    deleted data remains in it; if that is not possible yet, run it again.
    """
    owner_data = SqlOwnerData(checked_engine(database), user)
    counts = owner_data.count()
    click.echo(f"{user} has {_counted(counts)}")
    if dry_run:
        return
    if not counts.is_empty and not yes:
        click.confirm("Delete all of it permanently?", abort=True)
    try:
        click.echo(f"deleted {_counted(owner_data.erase())}")
    except ErasureIncomplete as error:
        raise ConfigError(
            f"deleted {_counted(error.removed)}, but {error}; run `taskservice erase {user}` again"
        ) from None
    except AccessDenied as error:
        raise ConfigError(f"nothing was deleted: {error}; run it as the tables' owner") from None


def _counted(counts: OwnerCounts) -> str:
    entities = ", ".join(plural(count, readable(name)) for name, count in counts.entities.items())
    records = plural(counts.idempotency_records, "idempotency record")
    return f"{entities}, {plural(counts.changes, 'change')} and {records}"
