"""Output files: replaced atomically, and every write error is reported."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedWriter
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import Any, TypeVar

from taskservice.config import ConfigError

STANDARD_OUTPUT = "-"
"""The file name that means standard output, or standard input."""

PRIVATE_MODE, DEFAULT_MODE = 0o600, 0o666
"""Modes of a new file, before the umask."""

_descriptor_name = re.compile(r"/(?:dev|proc/self)/fd/(\d+)").fullmatch

T = TypeVar("T")


@contextmanager
def output_file(name: str, mode: int) -> Iterator[Callable[[bytes], object]]:
    """Yield a function that writes bytes to `name`. Raises `ConfigError` if writing fails.

    A regular file is replaced at the end of the block, and unchanged if the
    block fails; symbolic links to it stay. A new file gets `mode`; a file that
    replaces one of this user keeps that one's mode. Anything else (standard
    output, a FIFO, a device, `/dev/fd/63`) is written to directly.
    """
    is_standard = name == STANDARD_OUTPUT
    attempt = partial(_attempt_write, "standard output" if is_standard else name)
    out, target = attempt(_open, "/dev/fd/1" if is_standard else name, mode)
    try:
        yield partial(attempt, out.write)
        attempt(_commit, out, target)
    finally:
        out.raw.close()
        if target:
            Path(out.name).unlink(missing_ok=True)


def _attempt_write(shown_name: str, function: Callable[..., T], *arguments: Any) -> T:
    try:
        return function(*arguments)
    except OSError as error:
        raise ConfigError(f"{shown_name} cannot be written: {error.strerror}") from None


def _open(name: str, mode: int) -> tuple[BufferedWriter, Path | None]:
    """Return the file to write, and the target that it replaces, None if it is not replaced."""
    is_regular = _is_regular(name)
    if (descriptor := _descriptor(name)) is not None:
        return os.fdopen(os.dup(descriptor), "wb"), None
    if not is_regular:
        return os.fdopen(os.open(name, os.O_WRONLY | os.O_NOCTTY), "wb"), None
    target = Path(os.path.realpath(name))
    temporary = target.with_name(f".taskservice-{token_hex(8)}")
    return open(temporary, "xb", opener=partial(os.open, mode=mode)), target


def _is_regular(name: str) -> bool:
    """Tell whether `name` resolves to a regular file, or does not exist."""
    try:
        return S_ISREG(Path(name).stat().st_mode)
    except FileNotFoundError:
        return True


def _descriptor(name: str) -> int | None:
    """Return the descriptor that `name` refers to: opening it again would reset the offset."""
    path = Path(name)
    while not (match := _descriptor_name(str(path))) and path.is_symlink():
        path = path.parent / path.readlink()
    return int(match[1]) if match else None


def _commit(out: BufferedWriter, target: Path | None) -> None:
    out.flush()
    if target:
        _copy_permissions(out.fileno(), target)
        os.fsync(out.fileno())
        Path(out.name).replace(target)


def _copy_permissions(descriptor: int, target: Path) -> None:
    """Copy group and mode of the target, unless another user owns it."""
    with suppress(OSError):
        old = target.stat()
        if old.st_uid == os.geteuid():
            os.fchown(descriptor, -1, old.st_gid)
            os.fchmod(descriptor, old.st_mode & 0o777)
