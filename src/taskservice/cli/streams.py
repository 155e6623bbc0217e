"""Standard streams of commands: what cannot be written is an error, and no silence."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

import click

from taskservice.config import ConfigError


def escape_unencodable() -> None:
    """Print as an escape what the encoding of a stream does not have: an error would end it all."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def require_output() -> None:
    """Raise `ConfigError` where standard output is closed: what is printed would be lost."""
    if sys.stdout is None:
        raise ConfigError("standard output is closed: send it to a file, or to /dev/null")


def flush_output() -> None:
    """Write what is printed and not written yet. Raises `OSError` where that cannot be."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def end(message: str) -> None:
    """Print `message`, where that is possible, and exit with status 2."""
    with suppress(OSError):
        click.echo(f"Error: {message}", err=True)
    with suppress(OSError, AttributeError):
        # What could not be written is still in a buffer, which Python would write at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(2)
