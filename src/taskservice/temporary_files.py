"""Temporary files: in memory where that can be written, else where `tempfile` puts them."""

import atexit
import os
import shutil
from contextlib import suppress
from tempfile import TemporaryFile, mkdtemp

from taskservice.config import ConfigError

_IN_MEMORY = "/dev/shm"  # noqa: S108


def memory_folder() -> str | None:
    """Return the folder in memory, where it can be written; None stands for `tempfile`'s own."""
    with suppress(OSError):
        _write_in(_IN_MEMORY)
        return _IN_MEMORY
    return None


def require_writable(folder: str | None) -> None:
    """Raise `ConfigError` unless temporary files can be written in `folder`, or in `tempfile`'s."""
    try:
        _write_in(folder)
    except OSError as error:
        where = f" in {folder}" if folder else ""
        setting = "gunicorn's worker_tmp_dir" if folder else "TMPDIR"
        raise ConfigError(
            f"temporary files cannot be written{where}: {error.strerror}; "
            f"set {setting} to a folder that this user can write to"
        ) from None


def make_folder() -> str:
    """Make a folder that is removed when this process ends. Raises `ConfigError`."""
    parent = memory_folder()
    require_writable(parent)
    folder = mkdtemp("", "taskservice-", parent)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, owner: int) -> None:
    """Remove a folder at the end of the process that made it, and of none that was forked."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _write_in(folder: str | None) -> None:
    """Raise `OSError` where nothing can be written: a folder may be read-only, or full."""
    with TemporaryFile(dir=folder) as file:
        file.write(b"x")
        file.flush()
