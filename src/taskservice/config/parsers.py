"""Parsers of the settings: each returns the value, or raises `ValueError` with the reason."""

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from taskservice.adapters.jwt import SharedSecret
from taskservice.adapters.jwt.key_set import MAX_REFRESH_INTERVAL
from taskservice.adapters.ratelimit import require_storage
from taskservice.config.origins import normalize_origin
from taskservice.core.operations.rate_limits import Rate

NO_LIMIT = "off"
WORKERS = "WEB_CONCURRENCY"
MAX_PORT = 65535
MIN_CHANGES_DAYS = 8
MAX_DAYS = 3650

_SCHEMES = {"sqlite", "postgresql", "postgres"}
_PLACEHOLDER = re.compile(r"(?i)change.?me|replace.?me|place.?holder|your.*(secret|key)|<.*>")
_MIN_DISTINCT_CHARACTERS = 8
_is_header_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_match_address = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})", re.ASCII).fullmatch


def _database(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme not in _SCHEMES or not separator:
        raise ValueError("must begin with sqlite:///, postgresql:// or postgres://")
    if scheme == "sqlite" and not rest.partition("?")[0].strip("/"):
        raise ValueError("must name a file, as in sqlite:///taskservice.db")
    # SQLAlchemy and the driver take long to import: only programs with a database need them.
    from taskservice.adapters.sql.connection.address import database_url  # noqa: PLC0415

    database_url(value)
    return value


def _secret(value: str) -> str:
    SharedSecret(value)
    if _PLACEHOLDER.search(value) or len(set(value)) < _MIN_DISTINCT_CHARACTERS:
        raise ValueError("must be a random secret, not a placeholder")
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// or http://")
    return value


def _boolean(value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value.lower() == "true"


def _origins(value: str) -> tuple[str, ...]:
    try:
        return tuple(normalize_origin(part.strip()) for part in value.split(","))
    except ValueError:
        raise ValueError(
            "must be origins, separated by commas, such as https://app.example or "
            "capacitor://localhost: scheme, host (an international one as xn--…) and port of "
            "each, no path and no *"
        ) from None


def _header_names(value: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(","))
    if "*" in names or not all(_is_header_name(name) for name in names):
        raise ValueError("must be header names, separated by commas, such as X-Tenant")
    return names


def _rate_limit(value: str) -> str:
    if value != NO_LIMIT:
        Rate.parse(value)
    return value


def _rate_limit_storage(value: str) -> str:
    require_storage(value)
    return value


def _proxies(value: str) -> int:
    if not re.fullmatch(r"[0-9]", value, re.ASCII):
        raise ValueError("must be the number of trusted proxies, from 0 to 9")
    return int(value)


def _pool_size(value: str) -> int:
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
    # A removed key is accepted for at most two intervals: 600 s.
    if _seconds(value) > MAX_REFRESH_INTERVAL:
        raise ValueError(f"must be at most {MAX_REFRESH_INTERVAL:.0f} seconds")
    return _seconds(value)


def _days(value: str, minimum: int = 1) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value, re.ASCII) or not minimum <= int(value) <= MAX_DAYS:
        raise ValueError(f"must be a number of days from {minimum} to {MAX_DAYS}")
    return int(value)


def _log_level(value: str) -> str:
    if value.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("must be debug, info, warning or error")
    return value.lower()


def _log_format(value: str) -> str:
    if value.lower() not in {"json", "console"}:
        raise ValueError("must be json or console")
    return value.lower()


def _address(value: str) -> tuple[str, int]:
    match = _match_address(value)
    if match is None or int(match[2]) > MAX_PORT:
        raise ValueError("must be a host and a port, such as 127.0.0.1:9100")
    return match[1].strip("[]"), int(match[2])


PARSERS: dict[str, Callable[[str], object]] = {
    "DATABASE_URL": _database,
    "TASKSERVICE_JWT_SECRET": _secret,
    "TASKSERVICE_JWKS_URL": _http_url,
    "TASKSERVICE_JWKS_REFRESH": _refresh,
    "TASKSERVICE_JWT_ISSUER": str,
    "TASKSERVICE_JWT_AUDIENCE": str,
    "TASKSERVICE_JWT_SUBJECT_CLAIM": str,
    "TASKSERVICE_REQUIRE_IF_MATCH": _boolean,
    "TASKSERVICE_CORS_ORIGINS": _origins,
    "TASKSERVICE_CORS_HEADERS": _header_names,
    "TASKSERVICE_RATE_LIMIT": _rate_limit,
    "TASKSERVICE_RATE_LIMIT_STORAGE": _rate_limit_storage,
    "TASKSERVICE_PROXIES": _proxies,
    "TASKSERVICE_STATEMENT_TIMEOUT": _seconds,
    "TASKSERVICE_LOCK_TIMEOUT": _seconds,
    "TASKSERVICE_PREPARED_STATEMENTS": _boolean,
    "TASKSERVICE_ALLOW_PRIVILEGED_ROLE": _boolean,
    "TASKSERVICE_POOL_SIZE": _pool_size,
    "TASKSERVICE_POOL_TIMEOUT": _seconds,
    "TASKSERVICE_TRASH_DAYS": _days,
    "TASKSERVICE_CHANGES_DAYS": partial(_days, minimum=MIN_CHANGES_DAYS),
    "TASKSERVICE_LOG_LEVEL": _log_level,
    "TASKSERVICE_LOG_FORMAT": _log_format,
    WORKERS: _workers,
    "TASKSERVICE_METRICS_ADDRESS": _address,
}
