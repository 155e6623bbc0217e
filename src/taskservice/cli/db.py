"""`taskservice db`: migrations, grants, partitions, pruning, zone data."""

from datetime import timedelta

import click
from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.admin.forget_changes import forget_changes
from taskservice.adapters.sql.admin.migrate import upgrade as upgrade_schema
from taskservice.adapters.sql.admin.partition import DEFAULT_PARTITIONS, is_partitioned, partition
from taskservice.adapters.sql.admin.prune import prune, prune_changes, prune_trash
from taskservice.adapters.sql.admin.rezone import rezone
from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.cli.options import database_option, environment
from taskservice.cli.progress import plural
from taskservice.config import ConfigError, read_database_url, read_retention
from taskservice.core.clock import system_clock
from taskservice.core.zones import ZONE_DATA_VERSION
from taskservice.startup_checks import parse_database_url


@click.group()
def db() -> None:
    """Manage the database: migrations, privileges, partitions, expired data, zone data."""


@db.command()
@database_option
def upgrade(database: str | None) -> None:
    """Migrate the database to the newest schema version."""
    engine = _engine(database)
    upgrade_schema(engine)
    click.echo(f"the schema is at version {schema.current(engine)}")


@db.command()
@database_option
def current(database: str | None) -> None:
    """Print the schema version of the database, and the newest one."""
    version = schema.current(_engine(database)) or "none"
    click.echo(f"the schema is at version {version}, the newest is {schema.VERSIONS[-1]}")


@db.command()
@click.argument("role")
@database_option
def grant(role: str, database: str | None) -> None:
    """Grant ROLE the privileges that the service needs (PostgreSQL)."""
    engine = _engine(database)
    if is_sqlite(engine.url):
        raise ConfigError("SQLite has no roles: there is nothing to grant")
    schema.grant(engine, role)
    click.echo(f"granted {role} the privileges of the service")


@db.command("partition")
@click.option(
    "--partitions",
    default=DEFAULT_PARTITIONS,
    type=click.IntRange(2, 256),
    show_default=True,
    help="The number of partitions of each table.",
)
@database_option
def partition_tables(partitions: int, database: str | None) -> None:
    """Split the tables by owner into hash partitions (PostgreSQL).

    Use it when the tables have become too large to vacuum, reindex or dump as
    one. Reads and writes block while the rows are copied. Run it as the role
    that owns the tables.
    """
    engine = _engine(database)
    if is_sqlite(engine.url):
        raise ConfigError("SQLite does not support partitions")
    if is_partitioned(engine):
        click.echo("the tables are already partitioned")
        return
    partition(engine, partitions)
    click.echo(f"partitioned each table into {partitions} partitions")


@db.command("prune")
@database_option
def prune_expired(database: str | None) -> None:
    """Remove what has expired: tasks in the trash, idempotency records, and old changes.

    Tasks stay in the trash for TASKSERVICE_TRASH_DAYS, idempotency records for 24 hours, and
    changes in the log for TASKSERVICE_CHANGES_DAYS. A client that syncs after a longer
    pause, and missed a change, must start a first sync. Schedule it, for example with
    cron. Run it as the role that owns the tables.
    """
    engine, now = _engine(database), system_clock()
    trash_days, changes_days = map(timedelta, read_retention(environment(database)))
    click.echo(f"removed {plural(prune_trash(engine, now - trash_days), 'task')} from the trash")
    click.echo(f"removed {plural(prune(engine, now), 'expired idempotency record')}")
    removed = prune_changes(engine, now - changes_days, now)
    click.echo(f"removed {plural(removed, 'expired change')}")


@db.command("forget-changes")
@database_option
def forget_all_changes(database: str | None) -> None:
    """Remove all changes from the log, so that every client starts a first sync.

    Use it after tasks were changed behind the service's back, as by SQL. Clients
    get 410, and fetch everything once. No task is changed. Run it as the role that owns the
    tables.
    """
    count = forget_changes(_engine(database))
    click.echo(f"removed the changes of {plural(count, 'user')}")


@db.command("rezone")
@database_option
def rezone_tasks(database: str | None) -> None:
    """Recompute when tasks are due in their time zones, after an update of the zone data.

    Run it after an upgrade if `taskservice check` says so, as the role that owns
    the tables. It can run while the service runs. No task is changed otherwise.
    """
    count = rezone(_engine(database), system_clock())
    click.echo(f"recomputed {plural(count, 'task')} with the zone data {ZONE_DATA_VERSION}")


def _engine(database: str | None) -> Engine:
    return unpooled_engine(parse_database_url(read_database_url(environment(database))))
