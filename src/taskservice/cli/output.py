"""Output files: what a command writes arrives, or one message says why it does not."""

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
"""The name of standard output, as of standard input where a command reads."""

PRIVATE, PUBLIC = 0o600, 0o666
"""The mode of a new file, before the umask: for its owner alone, or as other programs make it."""

_descriptor_name = re.compile(r"/(?:dev|proc/self)/fd/(\d+)").fullmatch

T = TypeVar("T")


@contextmanager
def output(name: str, mode: int) -> Iterator[Callable[[bytes], object]]:
    """Yield what writes octets to `name`. Raises `ConfigError` where they cannot be written.

    What is no regular file (standard output, a FIFO, a device, `/dev/fd/63`)
    is written into. A regular file is replaced when the block has ended, and
    stays as it is where the block fails; links that lead to it stay. A new one
    has `mode`; one that replaces a file of this user has that file's.
    """
    is_standard = name == STANDARD_OUTPUT
    attempt = partial(_attempt, "standard output" if is_standard else name)
    out, target = attempt(_open, "/dev/fd/1" if is_standard else name, mode)
    try:
        yield partial(attempt, out.write)
        attempt(_finish, out, target)
    finally:
        out.raw.close()
        if target:
            Path(out.name).unlink(missing_ok=True)


def _attempt(shown: str, do: Callable[..., T], *arguments: Any) -> T:
    try:
        return do(*arguments)
    except OSError as error:
        raise ConfigError(f"{shown} cannot be written: {error.strerror}") from None


def _open(name: str, mode: int) -> tuple[BufferedWriter, Path | None]:
    """Return the file to write, and the one that it replaces in the end, if any."""
    is_regular = _is_regular(name)
    if (descriptor := _descriptor(name)) is not None:
        return os.fdopen(os.dup(descriptor), "wb"), None
    if not is_regular:
        return os.fdopen(os.open(name, os.O_WRONLY | os.O_NOCTTY), "wb"), None
    target = Path(os.path.realpath(name))
    part = target.with_name(f".taskservice-{token_hex(8)}")
    return open(part, "xb", opener=partial(os.open, mode=mode)), target


def _is_regular(name: str) -> bool:
    """Tell whether `name` leads to a regular file, or to none yet."""
    try:
        return S_ISREG(Path(name).stat().st_mode)
    except FileNotFoundError:
        return True


def _descriptor(name: str) -> int | None:
    """Return the descriptor that `name` stands for: to open it once more would lose its place."""
    path = Path(name)
    while not (found := _descriptor_name(str(path))) and path.is_symlink():
        path = path.parent / path.readlink()
    return int(found[1]) if found else None


def _finish(out: BufferedWriter, target: Path | None) -> None:
    out.flush()
    if target:
        _keep_access(out.fileno(), target)
        os.fsync(out.fileno())
        Path(out.name).replace(target)


def _keep_access(descriptor: int, target: Path) -> None:
    """Give a file the group and mode of the one it replaces, unless that is another user's."""
    with suppress(OSError):
        old = target.stat()
        if old.st_uid == os.geteuid():
            os.fchown(descriptor, -1, old.st_gid)
            os.fchmod(descriptor, old.st_mode & 0o777)
