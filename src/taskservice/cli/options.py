"""What several commands ask for."""

import os
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.readiness import require_file
from taskservice.adapters.sql.connection.sessions import Timeouts
from taskservice.adapters.sql.engine import pooled_engine, unpooled_engine
from taskservice.config import DEFAULT_DATABASE, database_address
from taskservice.config.reader import Reader
from taskservice.core.validation import is_owner
from taskservice.startup import parsed_address

PATIENCE = Timeouts(statement=600, lock=5)
"""How long a command's statement may take: all of a user's tasks may be many."""

database_option: Callable[[Any], Any] = click.option(
    "--database",
    metavar="ADDRESS",
    help="sqlite:///FILE or postgresql://…; wins over DATABASE_URL.",
)


def _owner(_: click.Context, __: click.Parameter, user: str | None) -> str | None:
    if user is not None and not is_owner(user):
        raise click.BadParameter("must be 1 to 128 of A-Z a-z 0-9 . _ : @ | ~ + = -")
    return user


user_argument: Callable[[Any], Any] = click.argument("user", callback=_owner)
optional_user_argument: Callable[[Any], Any] = click.argument(
    "user", callback=_owner, required=False
)
user_option: Callable[[Any], Any] = click.option(
    "--user", default="demo", show_default=True, callback=_owner, help="Whose tasks."
)


def environment(database: str | None, default: str = "") -> dict[str, str]:
    """Return the environment, with the database that the option names, or else the default."""
    given = os.environ["DATABASE_URL"] if Reader(os.environ).is_set("DATABASE_URL") else default
    return {**os.environ, "DATABASE_URL": database or given}


def development_environment(database: str | None) -> dict[str, str]:
    """Return the environment as `serve` sees it: with SQLite in this folder where none is named."""
    return environment(database, DEFAULT_DATABASE)


def current_engine(database: str | None, default: str = "") -> Engine:
    """Return an engine for one command, over a database that is up to date. Raises `ConfigError`.

    Whoever it enters as, it names the owner whose rows it is about.
    """
    url = parsed_address(database_address(environment(database, default)))
    engine = unpooled_engine(url)
    require_file(engine)
    schema.require_current(engine)
    return pooled_engine(
        url,
        pool_size=1,
        pool_timeout=PATIENCE.lock,
        prepared_statements=False,
        timeouts=PATIENCE,
        allow_privileged_role=True,
    )
