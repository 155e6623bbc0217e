"""Startup checks: whether the configured database can be used."""

import logging
from threading import Event, Thread
from time import sleep

from sqlalchemy import URL, Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.connectivity import require_connection
from taskservice.adapters.sql.checks.encoding import require_encoding
from taskservice.adapters.sql.checks.readiness import require_ready, require_supported_database
from taskservice.adapters.sql.checks.roles import require_ordinary_role
from taskservice.adapters.sql.connection.address import database_url, is_sqlite
from taskservice.adapters.sql.engine import require_wal, unpooled_engine
from taskservice.config import ConfigError, Settings
from taskservice.core.errors import (
    AccessDenied,
    PrivilegedRole,
    SchemaOutdated,
    Unavailable,
    UnusableDatabase,
)

ROLE_ADVICE = (
    "Serve as an ordinary role (`taskservice db grant ROLE`); for development only, set "
    "TASKSERVICE_ALLOW_PRIVILEGED_ROLE=true"
)
"""Advice for a role that bypasses row-level security."""

RETRY_INTERVAL = 30.0
"""Seconds between two attempts to reach the database."""

_is_checked = Event()
"""Set if the parent process has checked the database before it forked this one."""

_log = logging.getLogger("taskservice")


def check_at_startup(settings: Settings) -> None:
    """Check the database before workers are forked. Raises `ConfigError`."""
    is_database_usable(settings)
    _is_checked.set()


def check_in_worker(settings: Settings) -> None:
    """Check the database in a worker; retry in the background until it is usable.

    Raises `ConfigError` only if no parent process has checked it: a worker
    that fails to boot makes gunicorn stop all others. Such a worker is not
    ready until the database is usable; every new connection is checked.
    """
    if not (_is_usable_now(settings) if _is_checked.is_set() else is_database_usable(settings)):
        retry_in_background(settings)


def is_database_usable(settings: Settings) -> bool:
    """Tell whether the database of `settings` can be used now.

    Return False if the server is unreachable, and log the reason. Raises
    `ConfigError` for errors that need an operator: a file that cannot be
    opened, a rejected role or certificate, an outdated schema, missing
    row-level security, a server that is too old.
    """
    url = parse_database_url(settings.database_url)
    try:
        _check(unpooled_engine(url), settings)
    except SchemaOutdated as error:
        raise ConfigError(str(error)) from None
    except AccessDenied as error:
        raise ConfigError(f"DATABASE_URL: access denied: {error}") from None
    except PrivilegedRole as error:
        raise ConfigError(f"DATABASE_URL cannot be used: {error}. {ROLE_ADVICE}") from None
    except UnusableDatabase as error:
        raise ConfigError(f"DATABASE_URL cannot be used: {error}. {error.advice}") from None
    except Unavailable as error:
        if is_sqlite(url):
            raise ConfigError(f"DATABASE_URL: the file cannot be used: {error}") from error
        _log.warning("database unreachable, retrying", extra={"reason": str(error)})
        return False
    return True


def retry_in_background(settings: Settings, seconds: float = RETRY_INTERVAL) -> Thread:
    """Retry the check every `seconds` seconds until it succeeds; log each attempt.

    Requests do not depend on it: the log lines are for the operator. Returns
    the thread.
    """

    def retry() -> None:
        sleep(seconds)
        while not _is_usable_now(settings):
            sleep(seconds)
        _log.warning("database reachable")

    thread = Thread(target=retry, name="database-retry", daemon=True)
    thread.start()
    return thread


def _is_usable_now(settings: Settings) -> bool:
    try:
        return is_database_usable(settings)
    except ConfigError as error:
        _log.error("database unusable", extra={"reason": str(error)})
        return False


def _check(engine: Engine, settings: Settings) -> None:
    require_connection(engine)
    require_supported_database(engine)
    require_encoding(engine)
    schema.require_current(engine)
    require_wal(engine)
    if not settings.allow_privileged_role:
        require_ordinary_role(engine)
    require_ready(engine, allow_privileged_role=settings.allow_privileged_role)


def parse_database_url(address: str) -> URL:
    """Return the parsed `DATABASE_URL`. Raises `ConfigError`."""
    try:
        return database_url(address)
    except ValueError as error:
        raise ConfigError(f"DATABASE_URL {error}") from None
