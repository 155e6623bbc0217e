"""Settings: read from the environment once, validated together, immutable."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

from taskservice.adapters.ratelimit import IN_MEMORY
from taskservice.config.parsers import PARSERS, WORKERS
from taskservice.config.reader import Reader
from taskservice.core.trash import DEFAULT_TRASH_DAYS

DEFAULT_DATABASE = "sqlite:///taskservice.db"

_log = logging.getLogger("taskservice")


class ConfigError(Exception):
    """The configuration is invalid.

    `errors` are all messages, each beginning with the setting's name.
    """

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings; one of `jwt_secret` and `jwks_url` is set, times are in seconds.

    Each field is the environment variable of its name, in capitals and with
    the prefix `TASKSERVICE_`, except `DATABASE_URL` and `WEB_CONCURRENCY`. The
    page on operations documents them. Only `from_environment` validates.
    """

    database_url: str
    jwt_secret: str | None = None
    jwks_url: str | None = None
    jwks_refresh: float = 300.0
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_subject_claim: str = "sub"
    require_if_match: bool = False
    cors_origins: tuple[str, ...] = ()
    cors_headers: tuple[str, ...] = ()
    rate_limit: str = "600/minute"
    rate_limit_storage: str = IN_MEMORY
    proxies: int = 0
    statement_timeout: float = 3.0
    lock_timeout: float = 1.0
    prepared_statements: bool = False
    allow_privileged_role: bool = False
    pool_size: int = 5
    pool_timeout: float = 0.5
    trash_days: int = DEFAULT_TRASH_DAYS
    changes_days: int = 30
    log_level: str = "info"
    log_format: str = "json"
    web_concurrency: int | None = None
    metrics_address: tuple[str, int] | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings in `environ`. Raises `ConfigError` with every error."""
        reader = Reader(environ)
        values = {name: reader.value(name) for name in PARSERS}
        given: dict[str, Any] = {
            field: values[name] for name, field in _FIELDS.items() if values[name] is not None
        }
        reader.require("DATABASE_URL")
        reader.require_one_of("TASKSERVICE_JWT_SECRET", "TASKSERVICE_JWKS_URL")
        reader.warn_of_whitespace("TASKSERVICE_JWT_SECRET")
        _retention(reader, values)
        _warn_of_unknown(environ)
        _raise_errors(reader)
        return cls(**given)


def read_database_url(environ: Mapping[str, str]) -> str:
    """Return `DATABASE_URL`, for commands that need no other setting. Raises `ConfigError`."""
    reader = Reader(environ)
    address = reader.value("DATABASE_URL")
    reader.require("DATABASE_URL")
    _raise_errors(reader)
    return str(address)


class Retention(NamedTuple):
    """How many days tasks stay in the trash, and changes in the log."""

    trash_days: int
    changes_days: int


def read_retention(environ: Mapping[str, str]) -> Retention:
    """Return the retention in `environ`, or its defaults. Raises `ConfigError`."""
    reader = Reader(environ)
    retention = _retention(reader, {name: reader.value(name) for name in _RETENTION})
    _raise_errors(reader)
    return retention


_RETENTION = ("TASKSERVICE_TRASH_DAYS", "TASKSERVICE_CHANGES_DAYS")


def _retention(reader: Reader, values: Mapping[str, Any]) -> Retention:
    """Return the retention. A task of the trash has its history as long as it is there."""
    trash_days = values["TASKSERVICE_TRASH_DAYS"] or Settings.trash_days
    changes_days = values["TASKSERVICE_CHANGES_DAYS"] or Settings.changes_days
    if changes_days < trash_days:
        reader.errors.append(
            f"TASKSERVICE_CHANGES_DAYS must be at least TASKSERVICE_TRASH_DAYS, {trash_days}"
        )
    return Retention(trash_days, changes_days)


def log_settings(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the log's level and format; defaults if invalid, as errors must be logged."""
    reader = Reader(environ)
    level, format_name = (reader.value(f"TASKSERVICE_LOG_{name}") for name in ("LEVEL", "FORMAT"))
    return level or Settings.log_level, format_name or Settings.log_format


def pool_size(environ: Mapping[str, str]) -> int:
    """Return the size of a process's connection pool; the default if invalid."""
    return Reader(environ).value("TASKSERVICE_POOL_SIZE") or Settings.pool_size


def worker_count(environ: Mapping[str, str], default: int) -> int:
    """Return the number of workers; the default if invalid, which `Settings` reports."""
    return Reader(environ).value(WORKERS) or default


_FIELDS = {name: name.removeprefix("TASKSERVICE_").lower() for name in PARSERS}
assert set(_FIELDS.values()) == {field.name for field in fields(Settings)}


# Kubernetes sets such variables (service links) for each Service whose name begins with
# "taskservice"; a misspelled setting has no such value.
_is_service_link = re.compile(
    r"TASKSERVICE(_\w+)?_(SERVICE_HOST=.*|SERVICE_PORT(_\w+)?=\d+|PORT=\w+://.*"
    r"|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?=.*)"
).fullmatch


def _warn_of_unknown(environ: Mapping[str, str]) -> None:
    for name, value in sorted(environ.items()):
        is_unknown = name.startswith("TASKSERVICE_") and name not in PARSERS
        if is_unknown and not _is_service_link(f"{name}={value}"):
            _log.warning("unknown setting", extra={"setting": name})


def _raise_errors(reader: Reader) -> None:
    if reader.errors:
        raise ConfigError(*reader.errors)
