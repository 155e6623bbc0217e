"""A database address is read as libpq reads it, refused by name, and shown without secrets."""

import socket

import pytest
from sqlalchemy import create_engine
from tests.field_reports.addresses import READ, REFUSED, Parameters
from tests.field_reports.report import Report
from tests.postgres import Databases
from tests.secret_values import SECRET

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.config import ConfigError, Settings


@pytest.mark.parametrize("report", READ, ids=str)
def test_an_address_is_read(report: Report[str, Parameters]) -> None:
    """The driver is given what libpq reads in it."""
    url = database_url(report.tried)
    _, parameters = create_engine(url).dialect.create_connect_args(url)
    parameters.pop("context", None)
    assert parameters == report.right


@pytest.mark.parametrize("report", REFUSED, ids=str)
def test_an_address_is_refused_among_the_settings(report: Report[str, str]) -> None:
    """With the other faults; nothing of it is quoted but a parameter's name."""
    settings = {"DATABASE_URL": report.tried, "TASKSERVICE_JWT_SECRET": SECRET}
    with pytest.raises(ConfigError) as error:
        Settings.from_environment({**settings, "TASKSERVICE_POOL_SIZE": "0"})
    assert error.value.errors[0] == f"DATABASE_URL {report.right}"
    assert len(error.value.errors) == 2


def test_the_next_of_several_hosts_is_connected(postgresql: Databases) -> None:
    """Where the first refuses, as after a failover."""
    with socket.socket() as unused_socket:
        unused_socket.bind(("127.0.0.1", 0))
        first = f"127.0.0.1:{unused_socket.getsockname()[1]}"
        user, host = postgresql.url().removeprefix("postgresql://").split("@")
        address = f"postgresql://{user}@{first},{host}"
        schema.require_reachable(unpooled_engine(database_url(address)))
