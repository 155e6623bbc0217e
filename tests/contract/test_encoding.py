"""What a database must be for every text and every moment to come back as it went in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from tests.homes import Home, served, served_engine, sqlite_home
from tests.postgres import Databases
from tests.processes import COMMAND, START, run
from tests.support import SECRET

from taskservice.adapters.sql.checks.encoding import require_encoding
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.core.errors import Unavailable, UnusableDatabase
from taskservice.core.query import TaskQuery
from taskservice.testing import ADA

TITLE = "漢 ü 😀"
ENCODING = (
    "the database's server_encoding is {}, and must be UTF8. Make one with CREATE DATABASE … "
    "ENCODING 'UTF8' TEMPLATE template0, and copy the data with pg_dump and pg_restore"
)
DATE_STYLE = (
    "the database's DateStyle is German, DMY, and must be ISO. "
    "Set it with ALTER ROLE … SET DateStyle = 'ISO'"
)


@pytest.fixture
def own(postgresql: Databases) -> Iterator[Home]:
    with served(postgresql) as home:
        yield home


@contextmanager
def encoded(server: Databases, encoding: str) -> Iterator[str]:
    """Make a database of another encoding; yield its address, for the superuser."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.url()) as connection:
        has_providers = connection.info.server_version >= 150000
    server.execute(
        f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        f"{' LOCALE_PROVIDER libc' * has_providers}"
    )
    try:
        yield server.url(name)
    finally:
        server.drop_database(server.url(name))


def refusal(folder: Path, address: str) -> str:
    """Return what gunicorn says when it does not start from `address`."""
    result = run(START, folder, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_is_migrated_and_not_served(
    postgresql: Databases, tmp_path: Path, encoding: str
) -> None:
    """Some text has no place there: the start and `check` say so, and no statement breaks."""
    with encoded(postgresql, encoding) as address:
        upgraded = run([*COMMAND, "db", "upgrade", "--database", address], tmp_path)
        assert (upgraded.returncode, upgraded.stderr) == (0, "")
        expected = ENCODING.format(encoding)
        assert refusal(tmp_path, address) == (
            f"taskservice: DATABASE_URL cannot be used: {expected}"
        )
        settings = {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET}
        checked = run([*COMMAND, "check"], tmp_path, **settings)
    assert checked.returncode == 2
    told = " ".join(checked.stdout.split())
    reason, _, advice = expected.partition(". ")
    assert f"FAIL database {reason} {advice}" in told


def test_moments_in_another_style_are_not_served(own: Home, tmp_path: Path) -> None:
    """A role or database whose DateStyle is not ISO ends the start, with what to set."""
    with psycopg.connect(own.superuser, autocommit=True) as superuser:
        superuser.execute(f"ALTER ROLE {own.role} SET DateStyle = 'German'".encode())
    assert refusal(tmp_path, own.service) == (
        f"taskservice: DATABASE_URL cannot be used: {DATE_STYLE}"
    )


def test_a_style_that_is_set_meanwhile_is_an_outage(own: Home, postgresql: Databases) -> None:
    """A new connection on which rows could not be read is closed; one that reads ISO serves."""
    engine = served_engine(own.service)
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        task = tasks.add(title=TITLE)
        postgresql.execute(f"ALTER ROLE {own.role} SET DateStyle = 'German'")
        engine.dispose()
        with pytest.raises(UnusableDatabase, match="DateStyle is German") as caught:
            tasks.list(TaskQuery())
        assert caught.value.outcome == "not_applied"
        postgresql.execute(f"ALTER ROLE {own.role} SET DateStyle = 'ISO, DMY'")
        assert tasks.list(TaskQuery()).tasks == [task]
    engine.dispose()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
@pytest.mark.parametrize("query", ["", "?client_encoding=latin1"])
def test_the_encoding_of_a_client_is_ours(
    own: Home, postgresql: Databases, encoding: str, query: str
) -> None:
    """Whatever a role or the address says of it, text comes back as it went in."""
    postgresql.execute(f"ALTER ROLE {own.role} SET client_encoding = '{encoding}'")
    engine = served_engine(own.service + query)
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        task = tasks.add(title=TITLE)
        assert tasks.get(task.id).title == TITLE
    engine.dispose()


def test_what_is_readable_is_served(own: Home, tmp_path: Path) -> None:
    """A database in UTF8 that writes ISO; and SQLite, which has no other way."""
    require_encoding(unpooled_engine(database_url(own.service)))
    require_encoding(unpooled_engine(database_url(sqlite_home(tmp_path))))


def test_a_database_that_cannot_be_asked_is_an_outage(own: Home) -> None:
    """It may be fit, and is not called unfit."""
    with pytest.raises(Unavailable, match='database "gone" does not exist'):
        require_encoding(unpooled_engine(database_url(own.service).set(database="gone")))
