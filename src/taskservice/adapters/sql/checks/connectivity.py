"""Connectivity check: tells transient connection failures from those that need a change."""

import os
import re
from collections.abc import Mapping
from select import select
from time import monotonic
from typing import Any

from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, PGconn, PollingStatus, abc
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.address import CONNECT_TIMEOUT_SECONDS
from taskservice.adapters.sql.connection.errors import driver_message, is_access_denied
from taskservice.core.errors import AccessDenied, Unavailable, UnusableDatabase

TRANSIENT_SQLSTATES = ("08", "57P", "53300")
"""Connection exceptions, starting or stopping servers, too many connections."""

SOCKET_PERMISSION_DENIED = "failed: Permission denied"
"""The system's error for a socket that this user may not open."""

PARAMETERS_ADVICE = "Correct the parameters of DATABASE_URL, and the files that they name"

# Messages of libpq and psycopg, always in English, if no server responds or the server has the
# wrong role; and messages of English servers, for systems where libpq keeps no trace.
_is_transient = re.compile(
    r"Is the server running|timeout expired|[Tt]imed out|could not translate host name"
    r"|failed to resolve host|closed the connection unexpectedly|SYSCALL error|unexpected eof"
    r"|could not (?:receive|send)|session is (?:not )?read-only|(?:not )?in hot standby mode"
    r"|the database system is|too many (?:clients|connections)|remaining connection slots"
).search
_sqlstate = re.compile(rb'ErrorResponse.* C "(\w{5})"').findall


def require_connection(engine: Engine) -> None:
    """Connect to PostgreSQL once. Raise `Unavailable` for a transient failure, else a subclass.

    Raise `AccessDenied` if the server refuses, judged by its SQLSTATE, as messages
    are localized. Raise `UnusableDatabase` if the attempt never reached a server,
    for example if a certificate cannot be verified.
    """
    if engine.dialect.name != "postgresql":
        return
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise _failure(engine, error) from error


def _failure(engine: Engine, error: DBAPIError) -> Unavailable:
    message, text = f"database error: {driver_message(error)}", str(error.orig)
    is_connected, states = _diagnose(engine)
    if is_access_denied(error) or SOCKET_PERMISSION_DENIED in text:
        return AccessDenied(message)
    is_transient = any(state.startswith(TRANSIENT_SQLSTATES) for state in states)
    if is_connected or is_transient or _is_transient(text):
        return Unavailable(message)
    return AccessDenied(message) if states else UnusableDatabase(message, PARAMETERS_ADVICE)


def _diagnose(engine: Engine) -> tuple[bool, list[str]]:
    """Connect again; return whether that succeeds, and the SQLSTATEs of servers that refuse.

    libpq shows those only in its trace, which it keeps on Linux alone.
    """
    _, parameters = engine.dialect.create_connect_args(engine.url)
    try:
        trace = os.fdopen(os.memfd_create("trace"), "rb+")
    except (AttributeError, OSError):
        return False, []
    with trace:
        is_connected = _connect(parameters, trace.fileno())
        trace.seek(0)
        return is_connected, [state.decode() for state in _sqlstate(trace.read())]


def _connect(parameters: Mapping[str, Any], trace: int) -> bool:
    arguments = {name: value for name, value in parameters.items() if name != "context"}
    connection = PGconn.connect_start(make_conninfo("", **arguments).encode())
    try:
        if connection.status != ConnStatus.BAD:
            connection.trace(trace)
            _poll(connection, monotonic() + CONNECT_TIMEOUT_SECONDS)
            connection.untrace()
        return connection.status == ConnStatus.OK
    finally:
        connection.finish()


def _poll(connection: abc.PGconn, deadline: float) -> None:
    while (remaining := deadline - monotonic()) > 0:
        match connection.connect_poll():
            case PollingStatus.READING:
                select([connection.socket], [], [], remaining)
            case PollingStatus.WRITING:
                select([], [connection.socket], [], remaining)
            case _:
                return
