"""The settings: read once from the environment, checked all at once, frozen."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from taskservice.adapters.counters import IN_MEMORY, require_storage
from taskservice.adapters.http.tokens import SharedSecret
from taskservice.adapters.http.tokens.key_set import REFRESH
from taskservice.core.rates import Rate

DEFAULT_DATABASE = "sqlite:///taskservice.db"
NO_LIMIT = "off"
WORKERS = "WEB_CONCURRENCY"

_SCHEMES = {"sqlite", "postgresql", "postgres"}
_PLACEHOLDER = re.compile(r"(?i)change.?me|replace.?me|place.?holder|your.*(secret|key)|<.*>")
_DISTINCT_CHARACTERS = 8
PORT_LIMIT = 65535
_is_origin = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?").fullmatch
_is_place = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-f:.]+\]):([0-9]{1,5})", re.ASCII).fullmatch

_log = logging.getLogger("taskservice")

T = TypeVar("T")


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
        reader = _Reader(environ)
        given = {name: reader.value(name, parse) for name, parse in _PARSERS.items()}
        known: dict[str, Any] = {
            field: given[name] for name, field in _FIELDS.items() if given[name] is not None
        }
        reader.require("DATABASE_URL")
        reader.require_one_of("TASKSERVICE_JWT_SECRET", "TASKSERVICE_JWKS_URL")
        _warn_of_unknown(environ)
        reader.finish()
        return cls(**known)


def database_address(environ: Mapping[str, str]) -> str:
    """Return the database's address alone, for what needs nothing else. Raises `ConfigError`."""
    reader = _Reader(environ)
    address = reader.value("DATABASE_URL", _database)
    reader.require("DATABASE_URL")
    reader.finish()
    return str(address)


def log_choice(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the log's level and format, the default for what is wrong: the log must tell of it."""
    reader = _Reader(environ)
    level = reader.value("TASKSERVICE_LOG_LEVEL", _log_level)
    form = reader.value("TASKSERVICE_LOG_FORMAT", _log_format)
    return level or Settings.log_level, form or Settings.log_format


def pool_size(environ: Mapping[str, str]) -> int:
    """Return how many connections a process has, the default for what is wrong."""
    return _Reader(environ).value("TASKSERVICE_POOL_SIZE", _count) or Settings.pool_size


def worker_count(environ: Mapping[str, str], default: int) -> int:
    """Return how many workers to run, the default for what is wrong: `Settings` tells of it."""
    return _Reader(environ).value(WORKERS, _workers) or default


class _Reader:
    """Reads single settings, and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._faults: list[str] = []

    def value(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Return the parsed setting, None where it is unset, empty or wrong."""
        if not (given := self._environ.get(name)):
            return None
        try:
            return parse(given)
        except ValueError as error:
            self._faults.append(f"{name} {error}")
            return None

    def require(self, name: str) -> None:
        if not self._environ.get(name):
            self._faults.append(f"{name} must be set")

    def require_one_of(self, one: str, other: str) -> None:
        count = sum(bool(self._environ.get(name)) for name in (one, other))
        if count != 1:
            self._faults.append(f"{one} or {other} must be set{', not both' if count else ''}")

    def finish(self) -> None:
        if self._faults:
            raise ConfigError(*self._faults)


def _database(value: str) -> str:
    scheme, separator, rest = value.strip().partition("://")
    if scheme not in _SCHEMES or not separator:
        raise ValueError("must begin with sqlite:///, postgresql:// or postgres://")
    if scheme == "sqlite" and rest.partition("?")[0].strip("/") in {"", ":memory:"}:
        raise ValueError("must name a file, as in sqlite:///taskservice.db")
    return value.strip()


def _secret(value: str) -> str:
    SharedSecret(value)
    if _PLACEHOLDER.search(value) or len(set(value)) < _DISTINCT_CHARACTERS:
        raise ValueError("must be a random secret, not a placeholder")
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("must be an address that begins with https:// or http://")
    return value.strip()


def _switch(value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value.lower() == "true"


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in value.split(","))
    if not all(_is_origin(origin) for origin in origins):
        raise ValueError("must be origins, separated by commas, such as https://app.example")
    return origins


def _rate_limit(value: str) -> str:
    if value != NO_LIMIT:
        Rate.parse(value)
    return value


def _rate_limit_storage(value: str) -> str:
    require_storage(value)
    return value


def _proxies(value: str) -> int:
    if not re.fullmatch(r"[0-9]", value, re.ASCII):
        raise ValueError("must be how many proxies are in front, from 0 to 9")
    return int(value)


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value, re.ASCII) or int(value) < 1:
        raise ValueError("must be a whole number from 1 to 9999")
    return int(value)


def _workers(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", value, re.ASCII) or int(value) < 1:
        raise ValueError("must be a number of workers from 1 to 999")
    return int(value)


def _seconds(value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", value, re.ASCII) or not float(value):
        raise ValueError("must be a number of seconds over 0")
    return float(value)


def _refresh(value: str) -> float:
    # A key that its issuer removed stops working within 600 s: two of the longest intervals.
    if _seconds(value) > REFRESH:
        raise ValueError(f"must be at most {REFRESH:.0f} seconds")
    return _seconds(value)


def _log_level(value: str) -> str:
    if value.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("must be debug, info, warning or error")
    return value.lower()


def _log_format(value: str) -> str:
    if value.lower() not in {"json", "console"}:
        raise ValueError("must be json or console")
    return value.lower()


def _place(value: str) -> tuple[str, int]:
    match = _is_place(value.strip())
    if match is None or int(match[2]) > PORT_LIMIT:
        raise ValueError("must be a host and a port, such as 127.0.0.1:9100")
    return match[1].strip("[]"), int(match[2])


_PARSERS: dict[str, Callable[[str], object]] = {
    "DATABASE_URL": _database,
    "TASKSERVICE_JWT_SECRET": _secret,
    "TASKSERVICE_JWKS_URL": _web_address,
    "TASKSERVICE_JWKS_REFRESH": _refresh,
    "TASKSERVICE_JWT_ISSUER": str,
    "TASKSERVICE_JWT_AUDIENCE": str,
    "TASKSERVICE_JWT_SUBJECT_CLAIM": str,
    "TASKSERVICE_REQUIRE_IF_MATCH": _switch,
    "TASKSERVICE_CORS_ORIGINS": _origins,
    "TASKSERVICE_RATE_LIMIT": _rate_limit,
    "TASKSERVICE_RATE_LIMIT_STORAGE": _rate_limit_storage,
    "TASKSERVICE_PROXIES": _proxies,
    "TASKSERVICE_STATEMENT_TIMEOUT": _seconds,
    "TASKSERVICE_LOCK_TIMEOUT": _seconds,
    "TASKSERVICE_PREPARED_STATEMENTS": _switch,
    "TASKSERVICE_ALLOW_PRIVILEGED_ROLE": _switch,
    "TASKSERVICE_POOL_SIZE": _count,
    "TASKSERVICE_POOL_TIMEOUT": _seconds,
    "TASKSERVICE_LOG_LEVEL": _log_level,
    "TASKSERVICE_LOG_FORMAT": _log_format,
    WORKERS: _workers,
    "TASKSERVICE_METRICS_ADDRESS": _place,
}

_FIELDS = {name: name.removeprefix("TASKSERVICE_").lower() for name in _PARSERS}
assert set(_FIELDS.values()) == {field.name for field in fields(Settings)}


def _warn_of_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name.startswith("TASKSERVICE_") and name not in _PARSERS:
            _log.warning("not a setting of this version", extra={"setting": name})
