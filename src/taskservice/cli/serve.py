"""`taskservice serve`: migrates the database and runs a development server."""

import os
import socket
from functools import partial

import click
from sqlalchemy import Engine

from taskservice import __version__
from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.admin.rezone import rezone
from taskservice.adapters.sql.connection.address import display_address, is_sqlite
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.schema import zone_data_version
from taskservice.app import serve_metrics
from taskservice.cli.development_secret import with_development_secret
from taskservice.cli.options import database_option, development_environment
from taskservice.cli.token import signed_token
from taskservice.config import ConfigError, Settings
from taskservice.config.reader import Reader
from taskservice.core.clock import system_clock
from taskservice.core.zones import ZONE_DATA_VERSION
from taskservice.listening_socket import authority, listen
from taskservice.logs import configure, escaped
from taskservice.startup_checks import check_at_startup, parse_database_url
from taskservice.temporary_folder import memory_folder, require_writable

DEMO_USER = "demo"


WELCOME = """\
taskservice {version} listening on {address}  (press Ctrl-C to stop)

  database       {database}
  API reference  {address}/docs
"""
EXAMPLE = """\
Create a task as the user demo and list demo's tasks. The token is valid for a day:

  TOKEN={token}
  curl --noproxy '*' {address}/api/tasks/demo/tasks -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' -d '{{"title": "Buy milk"}}'
  curl --noproxy '*' {address}/api/tasks/demo/tasks -H "Authorization: Bearer $TOKEN"
"""


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The host name or address to listen on."
)
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 selects a free one.",
)
@database_option
def serve(host: str, port: int, database: str | None) -> None:
    """Migrate the database and run the service.

    Without settings, the database is the SQLite file taskservice.db in this
    directory, with a random development secret beside it.
    """
    configure(os.environ)
    settings = Settings.from_environment(with_development_secret(development_environment(database)))
    # gunicorn reads WEB_CONCURRENCY when it is imported: import it after validation.
    from taskservice.cli.development_server import Server  # noqa: PLC0415

    require_writable(memory_folder())
    with _listen(host, port) as listener:
        engine = unpooled_engine(parse_database_url(settings.database_url))
        upgrade(engine)
        _rezone_if_outdated(engine)
        check_at_startup(settings)
        serve_metrics(settings)
        Server(settings, listener, partial(announce, settings)).run()


def _listen(host: str, port: int) -> socket.socket:
    """Listen before creating anything: gunicorn would retry for 5 s on an error."""
    try:
        return listen(host, port)
    except OSError as error:
        raise ConfigError(f"cannot listen on {authority(host, port)}: {error.strerror}") from None


def _rezone_if_outdated(engine: Engine) -> None:
    """Rezone an SQLite file, which no other version serves; PostgreSQL needs the tables' owner."""
    if is_sqlite(engine.url) and zone_data_version(engine) != ZONE_DATA_VERSION:
        rezone(engine, system_clock())


def announce(settings: Settings, address: str) -> None:
    """Print the addresses of the service, and example requests."""
    database = escaped(display_address(parse_database_url(settings.database_url)))
    click.echo(WELCOME.format(version=__version__, address=address, database=database))
    if settings.jwt_secret:
        click.echo(EXAMPLE.format(address=address, token=_demo_token(settings)))


def _demo_token(settings: Settings) -> str:
    """Return a token to paste; if the user configured a secret, the command that creates one."""
    if Reader(os.environ).is_set("TASKSERVICE_JWT_SECRET"):
        return f"$(taskservice token {DEMO_USER})"
    return signed_token(settings, DEMO_USER, days=1)
