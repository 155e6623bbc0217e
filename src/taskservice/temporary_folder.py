"""Temporary files: in shared memory if it is writable, else in `tempfile`'s default folder."""

import atexit
import os
import shutil
from contextlib import suppress
from tempfile import TemporaryFile, mkdtemp

from taskservice.config import ConfigError

_SHARED_MEMORY = "/dev/shm"  # noqa: S108


def memory_folder() -> str | None:
    """Return `/dev/shm` if it is writable, else None for `tempfile`'s default folder."""
    with suppress(OSError):
        _write_file(_SHARED_MEMORY)
        return _SHARED_MEMORY
    return None


def require_writable(folder: str | None) -> None:
    """Raise `ConfigError` unless `folder`, or `tempfile`'s default, is writable."""
    try:
        _write_file(folder)
    except OSError as error:
        where = f" in {folder}" if folder else ""
        setting = "gunicorn's worker_tmp_dir" if folder else "TMPDIR"
        raise ConfigError(
            f"temporary files cannot be written{where}: {error.strerror}; "
            f"set {setting} to a folder that this user can write to"
        ) from None


def create_folder() -> str:
    """Create a folder that is removed when this process exits. Raises `ConfigError`."""
    parent = memory_folder()
    require_writable(parent)
    folder = mkdtemp("", "taskservice-", parent)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, creator: int) -> None:
    """Remove a folder in the process that created it, and not in its forks."""
    if os.getpid() == creator:
        shutil.rmtree(folder, ignore_errors=True)


def _write_file(folder: str | None) -> None:
    """Raise `OSError` if a file cannot be written: the folder may be read-only or full."""
    with TemporaryFile(dir=folder) as file:
        file.write(b"x")
        file.flush()
