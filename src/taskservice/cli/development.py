"""The development secret: made at random where there is none, kept beside the database."""

import os
import secrets
from pathlib import Path
from stat import S_IMODE

from taskservice.config import ConfigError

_OWNER_ONLY = 0o600


def secret_file(database: str) -> Path:
    """Return where the secret of a database is kept: beside an SQLite file, else in this folder."""
    scheme, _, rest = database.partition(":///")
    path = Path(rest.partition("?")[0]) if scheme == "sqlite" else Path("taskservice")
    return path.with_suffix(".secret")


def kept_secret(file: Path) -> str | None:
    """Return the secret in `file`, None where there is no such file. Raises `ConfigError`."""
    try:
        if S_IMODE(file.stat().st_mode) != _OWNER_ONLY:
            raise ConfigError(f"{file} must be for its owner alone: run `chmod 600 {file}`")
        return file.read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


def make_secret(file: Path) -> str:
    """Make a random secret and keep it in `file`, for its owner alone. Raises `ConfigError`."""
    secret = secrets.token_urlsafe(48)
    try:
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w"
        ) as out:
            out.write(f"{secret}\n")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
    return secret


def with_kept_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return `environ` with the development secret, where it names no way to test tokens."""
    if _names_keys(environ):
        return environ
    secret = kept_secret(secret_file(environ["DATABASE_URL"]))
    if secret is None:
        raise ConfigError(
            "there is no secret: set TASKSERVICE_JWT_SECRET, or run `taskservice serve` here once"
        )
    return {**environ, "TASKSERVICE_JWT_SECRET": secret}


def with_development_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return `environ` with the development secret, made where there is none yet."""
    file = secret_file(environ["DATABASE_URL"])
    if not _names_keys(environ) and kept_secret(file) is None:
        make_secret(file)
    return with_kept_secret(environ)


def _names_keys(environ: dict[str, str]) -> bool:
    return bool(environ.get("TASKSERVICE_JWT_SECRET") or environ.get("TASKSERVICE_JWKS_URL"))
