"""`taskservice seed`: adds sample tasks in lists."""

from itertools import islice

import click

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.cli.options import checked_engine, database_option, user_option
from taskservice.cli.progress import plural, progress
from taskservice.config import DEFAULT_DATABASE
from taskservice.core.clock import system_clock
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sample_tasks import sample_lists, sample_tasks, sample_trash

BATCH_SIZE = 200
MAX_TASKS = 1_000_000
TASKS_PER_TRASHED_TASK = 50


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
    """Add sample lists, and tasks of the last three months, in several writing systems.

    Some of the tasks are sub-tasks, and some were moved within their list. A few more are in
    the trash.
    Without DATABASE_URL, the database is the one of `taskservice serve` in this directory.
    """
    engine = checked_engine(database, DEFAULT_DATABASE)
    owner_data = SqlOwnerData(engine, user)
    now, new_id = system_clock(), TimeOrderedIds()
    lists = sample_lists(user, now, new_id)
    owner_data.import_entities(lists)
    tasks = sample_tasks(user, count, now, new_id, lists=lists)
    with progress("seeding", count) as advance:
        while batch := list(islice(tasks, BATCH_SIZE)):
            owner_data.import_entities(batch)
            advance(len(batch))
    trash = sample_trash(user, min(count // TASKS_PER_TRASHED_TASK, BATCH_SIZE), now, new_id)
    owner_data.import_entities(trash)
    added = f"{plural(count, 'task')}, {plural(len(lists), 'list')}"
    click.echo(f"added {added} and {plural(len(trash), 'trashed task')} for {user}")
