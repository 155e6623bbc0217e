"""Standard streams of commands: what cannot be written is an error, and no silence."""

import os
import sys
from contextlib import suppress
from errno import EBADF
from io import TextIOBase, TextIOWrapper

import click


def escape_unencodable() -> None:
    """Print as an escape what the encoding of a stream does not have: an error would end it all."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Closed(TextIOBase):
    """Standard output that is closed: what is printed would be lost without a word."""

    def write(self, _: str) -> int:
        raise OSError(EBADF, "standard output is closed")


def stand_in_for_closed() -> None:
    """Have printing to a closed standard output fail, and a closed standard input be empty."""
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115


def end(message: str) -> None:
    """Print `message`, where that is possible, and exit with status 2."""
    with suppress(OSError):
        click.echo(f"Error: {message}", err=True)
    with suppress(OSError, AttributeError):
        # What could not be written is still in a buffer, which Python would write at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(2)
