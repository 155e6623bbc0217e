"""`taskservice seed`: adds sample tasks."""

from itertools import islice

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.cli.options import checked_engine, database_option, user_option
from taskservice.cli.progress import plural, progress
from taskservice.config import DEFAULT_DATABASE
from taskservice.core.clock import system_clock
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sample_tasks import sample_tasks

BATCH_SIZE = 200
MAX_TASKS = 1_000_000


@click.command()
@user_option
@click.option(
    "--tasks",
    "count",
    default=1000,
    show_default=True,
    type=click.IntRange(1, MAX_TASKS),
    help="The number of tasks to add.",
)
@database_option
def seed(user: str, count: int, database: str | None) -> None:
    """Add sample tasks of the last three months, in several writing systems.

    Without DATABASE_URL, the database is the one of `taskservice serve` in this directory.
    """
    engine = checked_engine(database, DEFAULT_DATABASE)
    owner_data = SqlOwnerData(engine, user)
    tasks = sample_tasks(user, count, system_clock(), TimeOrderedIds())
    with progress("seeding", count) as advance:
        while batch := list(islice(tasks, BATCH_SIZE)):
            owner_data.import_entities(batch)
            advance(len(batch))
    click.echo(f"added {plural(count, 'task')} for {user}")
