"""What several commands ask for."""

import os
from collections.abc import Callable
from typing import Any

import click

from taskservice.config import DEFAULT_DATABASE

database_option: Callable[[Any], Any] = click.option(
    "--database",
    metavar="ADDRESS",
    help="sqlite:///FILE or postgresql://…; wins over DATABASE_URL.",
)


def environment(database: str | None, default: str = "") -> dict[str, str]:
    """Return the environment, with the database that the option names, or else the default."""
    address = database or os.environ.get("DATABASE_URL") or default
    return {**os.environ, "DATABASE_URL": address}


def development_environment(database: str | None) -> dict[str, str]:
    """Return the environment as `serve` sees it: with SQLite in this folder where none is named."""
    return environment(database, DEFAULT_DATABASE)
