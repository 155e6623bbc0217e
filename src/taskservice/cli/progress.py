"""How far a command is, for whoever watches: a bar on standard error, where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]
ERASED_LINE = "\r\033[K"


@contextmanager
def progress(label: str, length: int | None) -> Iterator[Advance]:
    """Show a bar of `length` steps; yield what moves it on. An unknown length shows none."""
    hidden = not length or not _is_watched()
    with click.progressbar(length=length or 0, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield bar.update


def tell(message: str) -> None:
    """Say something on standard error, above the bar."""
    click.echo(f"{ERASED_LINE if _is_watched() else ''}{message}", err=True)


def _is_watched() -> bool:
    """Whether standard error is a terminal; it is None where it was closed at the start."""
    return sys.stderr is not None and sys.stderr.isatty()
