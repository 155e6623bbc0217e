"""`taskservice db`: the schema's versions, and who may use it."""

import click
from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.admin.migrate import upgrade as upgrade_schema
from taskservice.adapters.sql.admin.partition import PARTITIONS, is_partitioned, partition
from taskservice.adapters.sql.admin.prune import prune
from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.cli.options import database_option, environment
from taskservice.config import ConfigError, read_database_url
from taskservice.core.clock import system_clock
from taskservice.startup import parse_database_url


@click.group()
def db() -> None:
    """Look after the database: its schema, and who may use it."""


@db.command()
@database_option
def upgrade(database: str | None) -> None:
    """Bring the database to the newest schema."""
    engine = _engine(database)
    upgrade_schema(engine)
    click.echo(f"the schema is at {schema.current(engine)}")


@db.command()
@database_option
def current(database: str | None) -> None:
    """Say where the database's schema stands, and which is the newest."""
    stands_at = schema.current(_engine(database)) or "nothing"
    click.echo(f"the schema is at {stands_at}, the newest is {schema.VERSIONS[-1]}")


@db.command()
@click.argument("role")
@database_option
def grant(role: str, database: str | None) -> None:
    """Give ROLE what the service needs, and no more (PostgreSQL)."""
    engine = _engine(database)
    if is_sqlite(engine.url):
        raise ConfigError("SQLite has no roles: there is nothing to grant")
    schema.grant(engine, role)
    click.echo(f"{role} may serve")


@db.command("partition")
@click.option("--partitions", default=PARTITIONS, type=click.IntRange(2, 256), show_default=True)
@database_option
def partition_tables(partitions: int, database: str | None) -> None:
    """Split the tables by owner into hash partitions (PostgreSQL).

    For a table that has grown beyond what one can be looked after. Nobody
    reads or writes a task while the rows are copied; run it as the role that
    owns the tables.
    """
    engine = _engine(database)
    if is_sqlite(engine.url):
        raise ConfigError("SQLite has no partitions")
    if is_partitioned(engine):
        click.echo("the tables are in partitions already")
        return
    partition(engine, partitions)
    click.echo(f"the tables are in {partitions} partitions each")


@db.command("prune")
@database_option
def prune_expired(database: str | None) -> None:
    """Remove what has expired: what an Idempotency-Key was used for, after a day.

    Run it from cron, at any time, as the role that owns the tables.
    """
    count = prune(_engine(database), system_clock())
    click.echo(f"removed {count} expired {'receipt' if count == 1 else 'receipts'}")


def _engine(database: str | None) -> Engine:
    return unpooled_engine(parse_database_url(read_database_url(environment(database))))
