"""Database addresses: for PostgreSQL what libpq takes, for SQLite the path of a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_ENCODE = "percent-encode spaces and @ / ? : % in its user and password, as in %40 for @"
_PORT_LIMIT = 65535

CONNECT_SECONDS = 3

_URI_PARAMETERS = {"mode", "cache", "immutable", "nolock", "psow", "vfs"}
"""What an SQLite address may say behind `?` with `uri=true` (SQLite, "URI Filenames", 3.3)."""

_DRIVER_PARAMETERS = {"timeout", "uri", "check_same_thread"}

# Where SQLAlchemy's URL keeps a parameter of libpq.
_PLACES = {"user": "username", "password": "password", "dbname": "database"}


def is_sqlite(url: URL) -> bool:
    """Tell whether the database is a file of ours (SQLite) and no server."""
    return url.get_backend_name() == "sqlite"


def database_url(address: str) -> URL:
    """Return the URL of a database `address`.

    PostgreSQL's are those of libpq (PostgreSQL, section 34.1.1.2): several
    hosts, the folder of a socket as a host, any parameter. Raises
    `ValueError`, which quotes nothing but a parameter's name, where it is none.
    """
    if address.startswith(("postgres://", "postgresql://")):
        return _postgresql_url(_parameters(address))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError("is not a database address") from None
    return _sqlite_url(url)


def shown_address(url: URL) -> str:
    """Return where a database is, for people: what else an address holds may be a secret."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    host = str(url.query["host"]) if "host" in url.query else url.host
    return str(URL.create(url.get_backend_name(), None, None, host, url.port, url.database))


def database_file(url: URL) -> Path:
    """Return the file of an SQLite database, named by its path or by a `file:` URI."""
    name = url.database or ""
    return Path(unquote(urlsplit(name).path) if url.query.get("uri") == "true" else name)


def _parameters(address: str) -> dict[str, str]:
    """Return the parameters of libpq that an address holds; its own words would quote it."""
    try:
        found = conninfo_to_dict(address)
    except psycopg.Error:
        raise ValueError(_fault(address)) from None
    parameters = {name: str(value) for name, value in found.items()}
    if "@" in parameters.get("host", "") + parameters.get("dbname", ""):
        raise ValueError(f"is not a database address: {_ENCODE}")
    _check_numbers(parameters)
    return parameters


def _fault(address: str) -> str:
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()} | {"ssl"}
    query = urlsplit(address).query
    names = [name for part in query.split("&") for name, is_, _ in [part.partition("=")] if is_]
    unknown = [name for name in names if name not in known and name.isidentifier()]
    # What follows an unencoded & in a password looks like a parameter.
    if unknown and "password=" not in query:
        return (
            f"has a parameter that PostgreSQL's client library does not know: {', '.join(unknown)}"
        )
    return f"is not a database address: {_ENCODE}"


def _check_numbers(parameters: Mapping[str, str]) -> None:
    for port in parameters.get("port", "").split(","):
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _PORT_LIMIT):
            raise ValueError(f"has a port that is no number from 1 to {_PORT_LIMIT}; or {_ENCODE}")
    if not parameters.get("connect_timeout", "0").lstrip("-").isdigit():
        raise ValueError("has a connect_timeout that is no whole number of seconds")


def _postgresql_url(parameters: Mapping[str, str]) -> URL:
    rest = dict(parameters)
    found: dict[str, Any] = {_PLACES[name]: rest.pop(name) for name in _PLACES if name in rest}
    hosts, ports = (rest.get(name, "").split(",") for name in ("host", "port"))
    if max(len(hosts), len(ports)) > 1:
        # SQLAlchemy takes several hosts in the query alone, with a port for each.
        ports = ports if len(ports) > 1 else ports * len(hosts)
        if len(ports) != len(hosts):
            raise ValueError(f"has {len(hosts)} hosts and {len(ports)} ports")
        rest["port"] = ",".join(ports)
    else:
        found |= {"host": rest.pop("host", None), "port": int(rest.pop("port", 0)) or None}
    return URL.create("postgresql+psycopg", **found, query=rest)


def _sqlite_url(url: URL) -> URL:
    if unknown := url.query.keys() - _URI_PARAMETERS - _DRIVER_PARAMETERS:
        raise ValueError(f"has a parameter that SQLite does not know: {', '.join(sorted(unknown))}")
    if url.query.keys() & _URI_PARAMETERS and url.query.get("uri") != "true":
        raise ValueError("needs uri=true, as in sqlite:///file:tasks.db?mode=rw&uri=true")
    if url.query.get("mode") == "memory" or ":memory:" in (url.database or ":memory:"):
        raise ValueError("must name a file, as in sqlite:///taskservice.db")
    try:
        float(str(url.query.get("timeout", 0)))
    except ValueError:
        raise ValueError("has a timeout that is no number of seconds") from None
    # Connections are shared by threads, one at a time: SQLAlchemy sets it so itself.
    return url.difference_update_query(["check_same_thread"])
