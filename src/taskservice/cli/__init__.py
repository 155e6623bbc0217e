"""The `taskservice` command."""

import logging
import os
from importlib import import_module
from typing import Any

import click

from taskservice import __version__
from taskservice.cli.standard_streams import end, escape_unencodable, stand_in_for_closed
from taskservice.docstrings import require_docstrings
from taskservice.error_messages import error_message
from taskservice.logs import configure

_log = logging.getLogger("taskservice")


class _Refusal(click.ClickException):
    """What a command cannot do: one message, and exit status 2."""

    exit_code = 2


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


class _Commands(click.Group):
    """Imports a command when it is called; whatever fails in one is a message, and no traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order that a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"taskservice.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            _log.debug("command failed", exc_info=True)
            raise _Refusal(error_message(error)) from error

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line; what cannot be printed ends it with a message, too."""
        try:
            stand_in_for_closed()
            escape_unencodable()
            require_docstrings()
            return super().main(*args, **extra)
        except Exception as error:
            return end(error_message(error))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """A multi-user task service: it never leaks a task, never loses one, never doubles one.

    Start with `taskservice serve`. Every command reads its settings from the
    environment, and ends with 0, or with 2 and a message that says what is wrong.
    """
    configure({**os.environ, "TASKSERVICE_LOG_FORMAT": "console"})
