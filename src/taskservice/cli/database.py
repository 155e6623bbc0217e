"""`taskservice db`: the schema's versions, and who may use it."""

import click
from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.engine import is_embedded, single_engine
from taskservice.adapters.sql.migrating import upgrade as upgrade_schema
from taskservice.app import parsed_address
from taskservice.cli.options import database_option, environment
from taskservice.config import ConfigError, database_address


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
    if is_embedded(engine.url):
        raise ConfigError("SQLite has no roles: there is nothing to grant")
    schema.grant(engine, role)
    click.echo(f"{role} may serve")


def _engine(database: str | None) -> Engine:
    return single_engine(parsed_address(database_address(environment(database))))
