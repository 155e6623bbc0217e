"""The `taskservice` command."""

from typing import Any

import click

from taskservice import __version__
from taskservice.cli.database import db
from taskservice.cli.document import openapi
from taskservice.cli.serving import serve
from taskservice.cli.tokens import token
from taskservice.config import ConfigError
from taskservice.core.errors import TaskServiceError


class _Refusal(click.ClickException):
    """What a command cannot do: one message, and exit status 2."""

    exit_code = 2


class _Commands(click.Group):
    """Turns what the service refuses into a message for a person."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (ConfigError, TaskServiceError) as error:
            raise _Refusal(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """A multi-user task service: it never leaks a task, never loses one, never doubles one.

    Start with `taskservice serve`. Every command reads its settings from the
    environment, and ends with 0, or with 2 and a message that says what is wrong.
    """


for _command in (serve, token, openapi, db):
    main.add_command(_command)
