"""Development secret: created at random on first use, stored beside the database."""

import errno
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import quote
from stat import S_ISREG
from tempfile import TemporaryFile

from taskservice.adapters.jwt import SharedSecret
from taskservice.adapters.sql.connection.address import database_file, database_url, is_sqlite
from taskservice.config import ConfigError, read_database_url
from taskservice.config.reader import Reader

_log = logging.getLogger("taskservice")


def secret_file(environ: Mapping[str, str]) -> Path:
    """Return the path of the secret: beside an SQLite file, else in the working directory.

    Raises `ConfigError` if `DATABASE_URL` is invalid.
    """
    url = database_url(read_database_url(environ))
    path = database_file(url) if is_sqlite(url) else Path("taskservice")
    if not path.name:
        raise ConfigError("DATABASE_URL must name a file, as in sqlite:///taskservice.db")
    return path.with_suffix(".secret")


def read_secret(file: Path) -> str | None:
    """Return the secret in `file`, None if there is no such file.

    Raises `ConfigError` if it is not a secret, or if another user can read it
    or may have written it: anyone who knows the secret can issue tokens.
    """
    try:
        with open(file, "rb", opener=_open_no_follow) as opened:
            _require_private(file, opened.fileno())
            secret = opened.read().decode(errors="surrogateescape").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _error(file, "must not be a symbolic link") from None
        raise _error(file, f"cannot be read ({error.strerror})") from None
    try:
        SharedSecret(secret)
    except ValueError as error:
        raise _error(file, str(error)) from None
    return secret


def _open_no_follow(path: str, flags: int) -> int:
    """Open a file without following a symbolic link or waiting for a FIFO."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _require_private(file: Path, descriptor: int) -> None:
    """Raise `ConfigError` unless the file system shows that only this user can access a file."""
    if not S_ISREG(os.fstat(descriptor).st_mode):
        raise _error(file, "must be a regular file")
    uid, others = permissions = _permissions(descriptor)
    if (uid, others) == (os.geteuid(), 0):
        return
    if permissions == _permissions_of_new_file(file.parent):
        reason = "the file system does not store owners and permissions"
        _log.warning("development secret is not private", extra={"reason": reason})
    elif uid != os.geteuid():
        raise _error(file, f"belongs to another user ({uid})", "run as that user, remove it")
    else:
        remedy = f"run `chmod 600 {quote(str(file))}`"
        raise _error(file, "must be accessible by its owner only", remedy)


def _permissions(descriptor: int) -> tuple[int, int]:
    """Return the owner of a file, and the mode bits of its group and of others."""
    status = os.fstat(descriptor)
    return status.st_uid, status.st_mode & 0o077


def _permissions_of_new_file(folder: Path) -> tuple[int, int] | None:
    with suppress(OSError), TemporaryFile(dir=folder) as new:
        return _permissions(new.fileno())
    return None


def _error(file: Path, problem: str, remedy: str = "remove it") -> ConfigError:
    return ConfigError(f"{file} {problem}: {remedy}, or set TASKSERVICE_JWT_SECRET")


def create_secret(file: Path) -> None:
    """Write a random secret to `file` unless it exists. Raises `ConfigError`."""
    try:
        with open(file, "x", opener=partial(os.open, mode=0o600)) as out:
            out.write(f"{secrets.token_urlsafe(48)}\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None


def with_existing_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return `environ` with the development secret, unless it configures verification keys."""
    if _has_keys(environ):
        return environ
    secret = read_secret(secret_file(environ))
    if secret is None:
        raise ConfigError(
            "no secret: set TASKSERVICE_JWT_SECRET, or run `taskservice serve` here once"
        )
    return {**environ, "TASKSERVICE_JWT_SECRET": secret}


def with_development_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return `environ` with the development secret, which is created on first use."""
    if not _has_keys(environ):
        create_secret(secret_file(environ))
    return with_existing_secret(environ)


def _has_keys(environ: dict[str, str]) -> bool:
    return any(map(Reader(environ).is_set, ("TASKSERVICE_JWT_SECRET", "TASKSERVICE_JWKS_URL")))
