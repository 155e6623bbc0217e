"""The development secret: made at random where there is none, kept beside the database."""

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
from taskservice.config import ConfigError, database_address
from taskservice.config.reader import Reader

_log = logging.getLogger("taskservice")


def secret_file(environ: Mapping[str, str]) -> Path:
    """Return where the secret of a database is kept: beside an SQLite file, else in this folder.

    Raises `ConfigError` where `DATABASE_URL` is wrong.
    """
    url = database_url(database_address(environ))
    path = database_file(url) if is_sqlite(url) else Path("taskservice")
    if not path.name:
        raise ConfigError("DATABASE_URL must name a file, as in sqlite:///taskservice.db")
    return path.with_suffix(".secret")


def kept_secret(file: Path) -> str | None:
    """Return the secret in `file`, None where there is no such file.

    Raises `ConfigError` where it is no secret, or where another user can read
    it or may have put it there: who knows the secret can make tokens.
    """
    try:
        with open(file, "rb", opener=_open_itself) as kept:
            _require_own(file, kept.fileno())
            secret = kept.read().decode(errors="surrogateescape").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _refusal(file, "must not be a symbolic link") from None
        raise _refusal(file, f"cannot be read ({error.strerror})") from None
    try:
        SharedSecret(secret)
    except ValueError as error:
        raise _refusal(file, str(error)) from None
    return secret


def _open_itself(path: str, flags: int) -> int:
    """Open what has the name and nothing that it leads to; a FIFO is not waited for."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _require_own(file: Path, descriptor: int) -> None:
    """Raise `ConfigError` unless a file is this user's alone, as far as its file system can say."""
    if not S_ISREG(os.fstat(descriptor).st_mode):
        raise _refusal(file, "must be a regular file")
    owner, others = access = _access(descriptor)
    if (owner, others) == (os.geteuid(), 0):
        return
    if access == _access_of_new_file(file.parent):
        reason = "the file system keeps no owners and permissions"
        _log.warning("development secret is not private", extra={"reason": reason})
    elif owner != os.geteuid():
        raise _refusal(file, f"belongs to another user ({owner})", "run as that user, remove it")
    else:
        raise _refusal(file, "must be for its owner alone", f"run `chmod 600 {quote(str(file))}`")


def _access(descriptor: int) -> tuple[int, int]:
    """Return the owner of a file, and what others may do with it."""
    about = os.fstat(descriptor)
    return about.st_uid, about.st_mode & 0o077


def _access_of_new_file(folder: Path) -> tuple[int, int] | None:
    with suppress(OSError), TemporaryFile(dir=folder) as new:
        return _access(new.fileno())
    return None


def _refusal(file: Path, fault: str, remedy: str = "remove it") -> ConfigError:
    return ConfigError(f"{file} {fault}: {remedy}, or set TASKSERVICE_JWT_SECRET")


def make_secret(file: Path) -> None:
    """Keep a random secret in `file` unless there is such a file. Raises `ConfigError`."""
    try:
        with open(file, "x", opener=partial(os.open, mode=0o600)) as out:
            out.write(f"{secrets.token_urlsafe(48)}\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None


def with_kept_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return `environ` with the development secret, where it names no way to test tokens."""
    if _names_keys(environ):
        return environ
    secret = kept_secret(secret_file(environ))
    if secret is None:
        raise ConfigError(
            "there is no secret: set TASKSERVICE_JWT_SECRET, or run `taskservice serve` here once"
        )
    return {**environ, "TASKSERVICE_JWT_SECRET": secret}


def with_development_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return `environ` with the development secret, made where there is none yet."""
    if not _names_keys(environ):
        make_secret(secret_file(environ))
    return with_kept_secret(environ)


def _names_keys(environ: dict[str, str]) -> bool:
    return any(map(Reader(environ).is_set, ("TASKSERVICE_JWT_SECRET", "TASKSERVICE_JWKS_URL")))
