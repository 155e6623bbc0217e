"""Options, arguments and engines that several commands share."""

import os
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.readiness import require_writable_file
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.engine import pooled_engine, unpooled_engine
from taskservice.config import DEFAULT_DATABASE, read_database_url
from taskservice.config.reader import Reader
from taskservice.core.validation import is_owner
from taskservice.startup_checks import parse_database_url

COMMAND_TIMEOUTS = Timeouts(statement=600, lock=5)
"""Seconds; longer than the service's, as a user may have many tasks."""

database_option: Callable[[Any], Any] = click.option(
    "--database",
    metavar="ADDRESS",
    help="sqlite:///FILE or postgresql://…; overrides DATABASE_URL.",
)


def _valid_user(_: click.Context, __: click.Parameter, user: str | None) -> str | None:
    if user is not None and not is_owner(user):
        raise click.BadParameter("must be 1 to 128 of A-Z a-z 0-9 . _ : @ | ~ + = -")
    return user


user_argument: Callable[[Any], Any] = click.argument("user", callback=_valid_user)
optional_user_argument: Callable[[Any], Any] = click.argument(
    "user", callback=_valid_user, required=False
)
user_option: Callable[[Any], Any] = click.option(
    "--user", default="demo", show_default=True, callback=_valid_user, help="The tasks' owner."
)


def environment(database: str | None, default: str = "") -> dict[str, str]:
    """Return the environment with the `--database` option, or else with the default database."""
    given = os.environ["DATABASE_URL"] if Reader(os.environ).is_set("DATABASE_URL") else default
    return {**os.environ, "DATABASE_URL": database or given}


def development_environment(database: str | None) -> dict[str, str]:
    """Return the environment with an SQLite file in this directory as the default database."""
    return environment(database, DEFAULT_DATABASE)


def checked_engine(database: str | None, default: str = "") -> Engine:
    """Return an engine for one command, after checking the schema version. Raises `ConfigError`.

    A privileged role is allowed: each statement names the owner of its rows.
    """
    url = parse_database_url(read_database_url(environment(database, default)))
    engine = unpooled_engine(url)
    require_writable_file(engine)
    schema.require_current(engine)
    return pooled_engine(
        url,
        pool_size=1,
        pool_timeout=COMMAND_TIMEOUTS.lock,
        prepared_statements=False,
        timeouts=COMMAND_TIMEOUTS,
        allow_privileged_role=True,
    )
