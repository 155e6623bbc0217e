"""Start-up checks: whether the service can work with the database that it is configured for."""

import logging
from threading import Event, Thread
from time import sleep

from sqlalchemy import URL, Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.connectivity import require_connection
from taskservice.adapters.sql.checks.encoding import require_readable
from taskservice.adapters.sql.checks.readiness import require_fit, require_usable
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

ORDINARY = (
    "Serve as an ordinary role (`taskservice db grant ROLE`); for development only, set "
    "TASKSERVICE_ALLOW_PRIVILEGED_ROLE=true"
)
"""What to do about a role that may not serve."""

RETRY_SECONDS = 30.0
"""Time between two looks for a database that could not be reached."""

_is_checked = Event()
"""Set where the process that this one was forked from has looked at the database."""

_log = logging.getLogger("taskservice")


def check_at_start(settings: Settings) -> None:
    """Look at the database before workers are forked off. Raises `ConfigError`."""
    is_servable(settings)
    _is_checked.set()


def check_in_worker(settings: Settings) -> None:
    """Look at the database from the process that serves, and go on looking until it is reached.

    Raises `ConfigError` where that is the start itself. A worker that is
    started later must not end the others, which a failure of it would: it is
    not ready until the database is fit, and every connection is looked at.
    """
    if not (_is_reached(settings) if _is_checked.is_set() else is_servable(settings)):
        retry_in_background(settings)


def is_servable(settings: Settings) -> bool:
    """Tell whether the database of `settings` can be served from by now.

    False for a server that cannot be reached, which the log says with the
    reason. Raises `ConfigError` for all that does not pass by itself: a file
    that cannot be opened, a refused role, a certificate, a schema that is
    behind, tables that no row-level security holds, too old a server.
    """
    url = parsed_address(settings.database_url)
    try:
        _look(unpooled_engine(url), settings)
    except SchemaOutdated as error:
        raise ConfigError(str(error)) from None
    except AccessDenied as error:
        raise ConfigError(f"DATABASE_URL leads to no access: {error}") from None
    except PrivilegedRole as error:
        raise ConfigError(f"DATABASE_URL is not fit to serve: {error}. {ORDINARY}") from None
    except UnusableDatabase as error:
        raise ConfigError(f"DATABASE_URL is not fit to serve: {error}. {error.advice}") from None
    except Unavailable as error:
        if is_sqlite(url):
            raise ConfigError(f"DATABASE_URL names a file that cannot be used: {error}") from error
        _log.warning("database unreachable, retrying", extra={"reason": str(error)})
        return False
    return True


def retry_in_background(settings: Settings, seconds: float = RETRY_SECONDS) -> Thread:
    """Look for the database again, each time with a line in the log, until it can be served from.

    Requests find out by themselves; this is for the operator. Returns the
    thread that looks, every so many `seconds`.
    """

    def retry() -> None:
        sleep(seconds)
        while not _is_reached(settings):
            sleep(seconds)
        _log.warning("database reachable")

    thread = Thread(target=retry, name="database-retry", daemon=True)
    thread.start()
    return thread


def _is_reached(settings: Settings) -> bool:
    try:
        return is_servable(settings)
    except ConfigError as error:
        _log.error("database unusable", extra={"reason": str(error)})
        return False


def _look(engine: Engine, settings: Settings) -> None:
    require_connection(engine)
    require_fit(engine)
    require_readable(engine)
    schema.require_current(engine)
    require_wal(engine)
    if not settings.allow_privileged_role:
        require_ordinary_role(engine)
    require_usable(engine, allow_privileged_role=settings.allow_privileged_role)


def parsed_address(address: str) -> URL:
    """Return the URL of the database at `address`. Raises `ConfigError`."""
    try:
        return database_url(address)
    except ValueError as error:
        raise ConfigError(f"DATABASE_URL {error}") from None
