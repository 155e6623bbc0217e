"""The `taskservice` command."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from taskservice import __version__
from taskservice.cli.standard_streams import (
    escape_unencodable,
    exit_with_error,
    output_flushed_at_exit,
    replace_closed_streams,
)
from taskservice.docstring_check import require_docstrings
from taskservice.error_messages import error_message
from taskservice.logs import configure

_log = logging.getLogger("taskservice")

COMMANDS = {
    "serve": "serve:serve",
    "token": "token:token",
    "check": "check:check",
    "seed": "seed:seed",
    "export": "export_import:export_tasks",
    "import": "export_import:import_tasks",
    "erase": "erase:erase",
    "openapi": "openapi:openapi",
    "db": "db:db",
}


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """Print an exception of the block as a message and exit with status 2; leave click's to it."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        _log.debug("command failed", exc_info=True)
        exit_with_error(error_message(error))


class _LazyGroup(click.Group):
    """Imports a command when it is called; prints each error as a message, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"taskservice.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Click itself would exit with status 1 if a pipe is closed."""
        with _errors_as_messages():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line; the errors include those of the output when it is flushed."""
        with _errors_as_messages():
            replace_closed_streams()
            escape_unencodable()
            require_docstrings()
            with output_flushed_at_exit():
                return super().main(*args, **extra)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """A multi-user task service: it never leaks, loses or duplicates a task.

    Start with `taskservice serve`. Every command reads its settings from the
    environment. It exits with status 0, or with status 2 and an error message.
    """
    configure({**os.environ, "TASKSERVICE_LOG_FORMAT": "console"})
