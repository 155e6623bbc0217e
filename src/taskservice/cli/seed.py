"""`taskservice seed`: a demonstration to look at."""

from itertools import islice

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerDataSource
from taskservice.cli.options import current_engine, database_option, user_option
from taskservice.cli.progress import progress
from taskservice.config import DEFAULT_DATABASE
from taskservice.core.clock import system_clock
from taskservice.core.ids import TaskIds
from taskservice.core.sample_tasks import sample_tasks

BATCH = 200
MOST = 1_000_000


@click.command()
@user_option
@click.option(
    "--tasks",
    "count",
    default=1000,
    show_default=True,
    type=click.IntRange(1, MOST),
    help="How many to add.",
)
@database_option
def seed(user: str, count: int, database: str | None) -> None:
    """Add tasks to look at, as they gather in three months.

    Without DATABASE_URL to the database that `taskservice serve` has made in this folder.
    """
    archive = SqlOwnerDataSource(current_engine(database, DEFAULT_DATABASE)).open_owner_data(user)
    tasks = sample_tasks(user, count, system_clock(), TaskIds())
    with progress("seeding", count) as advance:
        while batch := list(islice(tasks, BATCH)):
            archive.restore(batch)
            advance(len(batch))
    click.echo(f"{user} has {count} more {'task' if count == 1 else 'tasks'}")
