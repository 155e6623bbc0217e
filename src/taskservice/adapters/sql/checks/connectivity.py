"""Connecting to PostgreSQL at the start: what passes by itself, and what somebody must mend."""

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

PASSING_STATES = ("08", "57P", "53300")
"""SQLSTATEs that pass: connection exceptions, starting and stopping, too many connections."""

SOCKET_DENIED = "failed: Permission denied"
"""What the system says of a socket that this user may not open."""

PARAMETERS = "Correct the parameters of DATABASE_URL, and the files that they name"

# What libpq and psycopg say, in English everywhere, where no server answers, or not the wanted one;
# and what an English server says, for a system on which libpq keeps no trace.
_passes = re.compile(
    r"Is the server running|timeout expired|[Tt]imed out|could not translate host name"
    r"|failed to resolve host|closed the connection unexpectedly|SYSCALL error|unexpected eof"
    r"|could not (?:receive|send)|session is (?:not )?read-only|(?:not )?in hot standby mode"
    r"|the database system is|too many (?:clients|connections)|remaining connection slots"
).search
_sqlstate = re.compile(rb'ErrorResponse.* C "(\w{5})"').findall


def require_connection(engine: Engine) -> None:
    """Connect once. Raises `Unavailable` for a failure that passes, and a kind of it for others.

    The SQLSTATE says what a server refuses, whatever its language:
    `AccessDenied`. What never reached a server, such as a certificate that
    cannot be verified, is `UnusableDatabase`.
    """
    if engine.dialect.name != "postgresql":
        return
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise _failure(engine, error) from error


def _failure(engine: Engine, error: DBAPIError) -> Unavailable:
    said, text = f"database error: {driver_message(error)}", str(error.orig)
    is_connected, states = _diagnosis(engine)
    if is_access_denied(error) or SOCKET_DENIED in text:
        return AccessDenied(said)
    passes = any(state.startswith(PASSING_STATES) for state in states) or _passes(text)
    if is_connected or passes:
        return Unavailable(said)
    return AccessDenied(said) if states else UnusableDatabase(said, PARAMETERS)


def _diagnosis(engine: Engine) -> tuple[bool, list[str]]:
    """Connect once more: tell whether that succeeds, and the SQLSTATEs with which servers refuse.

    libpq shows them nowhere but in its trace, which it keeps on Linux alone.
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
    known = {name: value for name, value in parameters.items() if name != "context"}
    connection = PGconn.connect_start(make_conninfo("", **known).encode())
    try:
        if connection.status != ConnStatus.BAD:
            connection.trace(trace)
            _poll(connection, monotonic() + CONNECT_TIMEOUT_SECONDS)
            connection.untrace()
        return connection.status == ConnStatus.OK
    finally:
        connection.finish()


def _poll(connection: abc.PGconn, deadline: float) -> None:
    while (left := deadline - monotonic()) > 0:
        match connection.connect_poll():
            case PollingStatus.READING:
                select([connection.socket], [], [], left)
            case PollingStatus.WRITING:
                select([], [connection.socket], [], left)
            case _:
                return
