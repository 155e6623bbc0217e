"""Standard streams: output that cannot be written is an error, never lost silently."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from errno import EBADF
from io import TextIOBase, TextIOWrapper
from typing import NoReturn

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


def exit_with_error(message: str) -> NoReturn:
    """Print `message` if possible, and exit with status 2."""
    with suppress(OSError):
        click.echo(f"Error: {message}", err=True)
    with suppress(OSError):
        _flush_or_discard()
    sys.exit(2)


@contextmanager
def output_flushed_at_exit() -> Iterator[None]:
    """Flush standard output if the block exits. Raise `OSError` if that fails after a success."""
    try:
        yield
    except SystemExit as end:
        with suppress(OSError) if end.code else nullcontext():
            _flush_or_discard()
        raise


def _flush_or_discard() -> None:
    """Flush standard output. If that fails, discard its buffer and raise `OSError`.

    Python would try again at exit, fail again, and end with status 120.
    """
    try:
        if not sys.stdout.closed:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
