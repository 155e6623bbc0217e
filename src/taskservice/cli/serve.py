"""`taskservice serve`: up to date, running, and ready to be tried."""

import os
import socket
from functools import partial

import click

from taskservice import __version__
from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.connection.address import display_address
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.app import serve_metrics
from taskservice.cli.development_settings import with_development_secret
from taskservice.cli.options import database_option, development_environment
from taskservice.cli.token import signed_token
from taskservice.config import ConfigError, Settings
from taskservice.config.reader import Reader
from taskservice.listening import authority, listen
from taskservice.logs import configure, escaped
from taskservice.startup import check_at_start, parsed_address
from taskservice.temporary_files import memory_folder, require_writable

DEMO_USER = "demo"


WELCOME = """\
taskservice {version} answers on {address}  (Ctrl-C stops it)

  tasks are in  {database}
  reference     {address}/docs
"""
TRY_IT = """\
Create a task as the user demo, and list demo's tasks. The token is good for a day:

  TOKEN={token}
  curl --noproxy '*' {address}/api/tasks/demo/tasks -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' -d '{{"title": "Buy milk"}}'
  curl --noproxy '*' {address}/api/tasks/demo/tasks -H "Authorization: Bearer $TOKEN"
"""


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The name or address to listen on."
)
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)
@database_option
def serve(host: str, port: int, database: str | None) -> None:
    """Bring the database up to date and run the service.

    With no setting at all: on SQLite, in the file taskservice.db of this
    folder, with a random development secret kept beside it.
    """
    configure(os.environ)
    settings = Settings.from_environment(with_development_secret(development_environment(database)))
    # gunicorn reads WEB_CONCURRENCY when it is imported: not before that is known to be right.
    from taskservice.cli.development_server import Server  # noqa: PLC0415

    require_writable(memory_folder())
    with _listen(host, port) as listener:
        upgrade(unpooled_engine(parsed_address(settings.database_url)))
        check_at_start(settings)
        serve_metrics(settings)
        Server(settings, listener, partial(announce, settings)).run()


def _listen(host: str, port: int) -> socket.socket:
    """Listen before anything is made: gunicorn would try for 5 s where nobody can."""
    try:
        return listen(host, port)
    except OSError as error:
        place = authority(host, port)
        raise ConfigError(f"cannot listen on {place}: {error.strerror}") from None


def announce(settings: Settings, address: str) -> None:
    """Print where the service answers, and what to try there."""
    database = escaped(display_address(parsed_address(settings.database_url)))
    click.echo(WELCOME.format(version=__version__, address=address, database=database))
    if settings.jwt_secret:
        click.echo(TRY_IT.format(address=address, token=_demo_token(settings)))


def _demo_token(settings: Settings) -> str:
    """Return a token to paste; with a secret of the user's own only the way to make one."""
    if Reader(os.environ).is_set("TASKSERVICE_JWT_SECRET"):
        return f"$(taskservice token {DEMO_USER})"
    return signed_token(settings, DEMO_USER, days=1)
