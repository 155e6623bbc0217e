"""The settings: read once from the environment, checked all at once, frozen."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from taskservice.adapters.ratelimit import IN_MEMORY
from taskservice.config.parsers import NO_LIMIT, PARSERS, WORKERS
from taskservice.config.reader import Reader

__all__ = ["DEFAULT_DATABASE", "NO_LIMIT", "ConfigError", "Settings"]

DEFAULT_DATABASE = "sqlite:///taskservice.db"

_log = logging.getLogger("taskservice")


class ConfigError(Exception):
    """What is wrong with the configuration.

    `faults` are all there are, each beginning with the setting's name.
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the service was told; one of `jwt_secret` and `jwks_url` is set; times in seconds.

    A field is the setting of its name, in capitals and behind `TASKSERVICE_`,
    but for `DATABASE_URL` and `WEB_CONCURRENCY`: the page on operations says
    what each does. What is given here is not checked; `from_environment` does.
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
    log_level: str = "info"
    log_format: str = "json"
    web_concurrency: int | None = None
    metrics_address: tuple[str, int] | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings of `environ`, or raise `ConfigError` with every fault."""
        reader = Reader(environ)
        given = {name: reader.value(name) for name in PARSERS}
        known: dict[str, Any] = {
            field: given[name] for name, field in _FIELDS.items() if given[name] is not None
        }
        reader.require("DATABASE_URL")
        reader.require_one_of("TASKSERVICE_JWT_SECRET", "TASKSERVICE_JWKS_URL")
        reader.warn_of_trimming("TASKSERVICE_JWT_SECRET")
        _warn_of_unknown(environ)
        _require_no_fault(reader)
        return cls(**known)


def database_address(environ: Mapping[str, str]) -> str:
    """Return the database's address alone, for what needs nothing else. Raises `ConfigError`."""
    reader = Reader(environ)
    address = reader.value("DATABASE_URL")
    reader.require("DATABASE_URL")
    _require_no_fault(reader)
    return str(address)


def log_choice(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the log's level and format, the default for what is wrong: the log must tell of it."""
    reader = Reader(environ)
    level, form = (reader.value(f"TASKSERVICE_LOG_{name}") for name in ("LEVEL", "FORMAT"))
    return level or Settings.log_level, form or Settings.log_format


def pool_size(environ: Mapping[str, str]) -> int:
    """Return how many connections a process has, the default for what is wrong."""
    return Reader(environ).value("TASKSERVICE_POOL_SIZE") or Settings.pool_size


def worker_count(environ: Mapping[str, str], default: int) -> int:
    """Return how many workers to run, the default for what is wrong: `Settings` tells of it."""
    return Reader(environ).value(WORKERS) or default


_FIELDS = {name: name.removeprefix("TASKSERVICE_").lower() for name in PARSERS}
assert set(_FIELDS.values()) == {field.name for field in fields(Settings)}


# Kubernetes makes such variables of each Service whose name begins with "taskservice" (its
# documentation calls them service links); a setting that somebody guessed has no such value.
_is_service_link = re.compile(
    r"TASKSERVICE(_\w+)?_(SERVICE_HOST=.*|SERVICE_PORT(_\w+)?=\d+|PORT=\w+://.*"
    r"|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?=.*)"
).fullmatch


def _warn_of_unknown(environ: Mapping[str, str]) -> None:
    for name, value in sorted(environ.items()):
        is_direct = name.startswith("TASKSERVICE_") and name not in PARSERS
        if is_direct and not _is_service_link(f"{name}={value}"):
            _log.warning("unknown setting", extra={"setting": name})


def _require_no_fault(reader: Reader) -> None:
    if reader.faults:
        raise ConfigError(*reader.faults)
