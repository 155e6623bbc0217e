"""Standard streams: output that cannot be written is an error, never lost silently."""

import os
import sys
from contextlib import suppress
from errno import EBADF
from io import TextIOBase, TextIOWrapper

import click


def escape_unencodable() -> None:
    """Print characters that the stream's encoding lacks as escapes, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _ClosedOutput(TextIOBase):
    """A closed standard output: writing to it raises `OSError`."""

    def write(self, _: str) -> int:
        raise OSError(EBADF, "standard output is closed")


def replace_closed_streams() -> None:
    """Make a closed standard output raise on writing, and a closed standard input empty."""
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115


def exit_with_error(message: str) -> None:
    """Print `message` if possible, and exit with status 2."""
    with suppress(OSError):
        click.echo(f"Error: {message}", err=True)
    discard_unwritable_output()
    sys.exit(2)


def discard_unwritable_output() -> None:
    """Discard a buffer that cannot be flushed: Python would try again at exit, with status 120."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
