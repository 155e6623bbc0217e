"""Progress: bars on standard error if it is a terminal, and counts in messages."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]
ERASE_LINE = "\r\033[K"


@contextmanager
def progress(label: str, length: int | None) -> Iterator[Advance]:
    """Show a bar of `length` steps, none if it is unknown; yield its update function."""
    hidden = not length or not _is_terminal()
    with click.progressbar(length=length or 0, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield bar.update


def print_message(message: str) -> None:
    """Print a line on standard error, above the bar."""
    click.echo(f"{ERASE_LINE if _is_terminal() else ''}{message}", err=True)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, as in `2 tasks`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def readable(type_name: str) -> str:
    """Return the name of a type of entities as words."""
    return type_name.replace("-", " ")


def _is_terminal() -> bool:
    """Tell whether standard error is a terminal; it is None if it was closed at startup."""
    return sys.stderr is not None and sys.stderr.isatty()
