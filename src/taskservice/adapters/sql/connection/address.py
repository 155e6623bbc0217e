"""Database addresses: libpq connection URIs for PostgreSQL, file paths for SQLite."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_ENCODING_ADVICE = "percent-encode spaces and @ / ? : % in user and password, for example @ as %40"
_PORT_LIMIT = 65535

CONNECT_TIMEOUT_SECONDS = 3

_URI_PARAMETERS = {"mode", "cache", "immutable", "nolock", "psow", "vfs"}
"""Query parameters of an SQLite URI filename, valid with `uri=true` (SQLite, 3.3)."""

_DRIVER_PARAMETERS = {"timeout", "uri", "check_same_thread"}

# Fields of SQLAlchemy's URL by libpq parameter.
_URL_FIELDS = {"user": "username", "password": "password", "dbname": "database"}


def is_sqlite(url: URL) -> bool:
    """Return whether the database is an SQLite file."""
    return url.get_backend_name() == "sqlite"


def database_url(address: str) -> URL:
    """Return the URL of a database `address`.

    A PostgreSQL address is a libpq connection URI (PostgreSQL, section
    34.1.1.2): several hosts, a socket directory as host, any parameter. Raise
    `ValueError` if the address is invalid; its message quotes only parameter names.
    """
    if address.startswith(("postgres://", "postgresql://")):
        return _postgresql_url(_parameters(address))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError("is not a valid database address") from None
    return _sqlite_url(url)


def display_address(url: URL) -> str:
    """Return the address without user, password and parameters, which may hold secrets."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    host = str(url.query["host"]) if "host" in url.query else url.host
    return str(URL.create(url.get_backend_name(), None, None, host, url.port, url.database))


def database_file(url: URL) -> Path:
    """Return the path of an SQLite database, from a path or a `file:` URI."""
    name = url.database or ""
    return Path(unquote(urlsplit(name).path) if url.query.get("uri") == "true" else name)


def _parameters(address: str) -> dict[str, str]:
    """Return the libpq parameters of an address. libpq's own error would quote the address."""
    try:
        parsed = conninfo_to_dict(address)
    except psycopg.Error:
        raise ValueError(_error_message(address)) from None
    parameters = {name: str(value) for name, value in parsed.items()}
    if "@" in parameters.get("host", "") + parameters.get("dbname", ""):
        raise ValueError(f"is not a valid database address: {_ENCODING_ADVICE}")
    _check_numbers(parameters)
    return parameters


def _error_message(address: str) -> str:
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()} | {"ssl"}
    query = urlsplit(address).query
    names = [
        name for part in query.split("&") for name, equals, _ in [part.partition("=")] if equals
    ]
    unknown = [name for name in names if name not in known and name.isidentifier()]
    # An unencoded & in a password looks like the start of a parameter.
    if unknown and "password=" not in query:
        return f"has an unknown PostgreSQL parameter: {', '.join(unknown)}"
    return f"is not a valid database address: {_ENCODING_ADVICE}"


def _check_numbers(parameters: Mapping[str, str]) -> None:
    for port in parameters.get("port", "").split(","):
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _PORT_LIMIT):
            raise ValueError(f"has an invalid port, not 1 to {_PORT_LIMIT}; or {_ENCODING_ADVICE}")
    if not parameters.get("connect_timeout", "0").lstrip("-").isdigit():
        raise ValueError("has an invalid connect_timeout: it must be a whole number of seconds")


def _postgresql_url(parameters: Mapping[str, str]) -> URL:
    query = dict(parameters)
    fields: dict[str, Any] = {
        _URL_FIELDS[name]: query.pop(name) for name in _URL_FIELDS if name in query
    }
    hosts, ports = (query.get(name, "").split(",") for name in ("host", "port"))
    if max(len(hosts), len(ports)) > 1:
        # SQLAlchemy takes several hosts only in the query, with a port for each.
        ports = ports if len(ports) > 1 else ports * len(hosts)
        if len(ports) != len(hosts):
            raise ValueError(f"has {len(hosts)} hosts but {len(ports)} ports")
        query["port"] = ",".join(ports)
    else:
        fields |= {"host": query.pop("host", None), "port": int(query.pop("port", 0)) or None}
    return URL.create("postgresql+psycopg", **fields, query=query)


def _sqlite_url(url: URL) -> URL:
    if unknown := url.query.keys() - _URI_PARAMETERS - _DRIVER_PARAMETERS:
        raise ValueError(f"has an unknown SQLite parameter: {', '.join(sorted(unknown))}")
    if url.query.keys() & _URI_PARAMETERS and url.query.get("uri") != "true":
        raise ValueError("needs uri=true, as in sqlite:///file:tasks.db?mode=rw&uri=true")
    if url.query.get("mode") == "memory" or ":memory:" in (url.database or ":memory:"):
        raise ValueError("must name a file, as in sqlite:///taskservice.db")
    try:
        float(str(url.query.get("timeout", 0)))
    except ValueError:
        raise ValueError("has an invalid timeout: it must be a number of seconds") from None
    # SQLAlchemy sets it itself, as threads share connections, one at a time.
    return url.difference_update_query(["check_same_thread"])
