"""Encoding and DateStyle: text and timestamps are stored without loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from tests.databases import Database, migrated_database, service_engine, sqlite_database
from tests.postgres import Databases
from tests.processes import COMMAND, START, run
from tests.secret_values import SECRET

from taskservice.adapters.sql.checks.encoding import require_encoding
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import Unavailable, UnusableDatabase
from taskservice.core.task import NewTask
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.testing import ADA, tasks_of

TITLE = "漢 ü 😀"
ENCODING = (
    "the database's server_encoding is {}, and must be UTF8. Create one with CREATE DATABASE … "
    "ENCODING 'UTF8' TEMPLATE template0, and copy the data with pg_dump and pg_restore"
)
DATE_STYLE = (
    "the database's DateStyle is German, DMY, and must be ISO. "
    "Set it with ALTER ROLE … SET DateStyle = 'ISO'"
)


@pytest.fixture
def own(postgresql: Databases) -> Iterator[Database]:
    with migrated_database(postgresql) as database:
        yield database


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
def test_a_wrong_encoding_is_refused(postgresql: Databases, tmp_path: Path, encoding: str) -> None:
    """The start and `check` report it, though the migrations run."""
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
    printed = " ".join(checked.stdout.split())
    reason, _, advice = expected.partition(". ")
    assert f"FAIL database {reason} {advice}" in printed


def test_a_wrong_date_style_is_refused(own: Database, tmp_path: Path) -> None:
    """The start ends with the setting to change, for a role or a database."""
    with psycopg.connect(own.superuser, autocommit=True) as superuser:
        superuser.execute(f"ALTER ROLE {own.role} SET DateStyle = 'German'".encode())
    assert refusal(tmp_path, own.service) == (
        f"taskservice: DATABASE_URL cannot be used: {DATE_STYLE}"
    )


def test_a_date_style_changed_later_is_an_outage(own: Database, postgresql: Databases) -> None:
    """The pool closes new connections with a wrong DateStyle."""
    engine = service_engine(own.service)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title=TITLE))
        postgresql.execute(f"ALTER ROLE {own.role} SET DateStyle = 'German'")
        engine.dispose()
        with pytest.raises(UnusableDatabase, match="DateStyle is German") as caught:
            tasks.list(TaskQuery())
        assert caught.value.outcome == "not_applied"
        postgresql.execute(f"ALTER ROLE {own.role} SET DateStyle = 'ISO, DMY'")
        assert tasks.list(TaskQuery()).items == [task]
    engine.dispose()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
@pytest.mark.parametrize("query", ["", "?client_encoding=latin1"])
def test_the_client_encoding_is_utf8(
    own: Database, postgresql: Databases, encoding: str, query: str
) -> None:
    """Whatever a role or the address sets, text is unchanged."""
    postgresql.execute(f"ALTER ROLE {own.role} SET client_encoding = '{encoding}'")
    engine = service_engine(own.service + query)
    with SqlStorage(engine).open_workspace(ADA) as workspace:
        a_list = workspace.lists.add(NewTaskList(name=TITLE))
        task = workspace.tasks.add(NewTask(title=TITLE, list_id=a_list.id))
        assert workspace.lists.get(a_list.id).name == workspace.tasks.get(task.id).title == TITLE
    engine.dispose()


def test_utf8_and_iso_are_accepted(own: Database, tmp_path: Path) -> None:
    """On PostgreSQL; SQLite has no such settings."""
    require_encoding(unpooled_engine(database_url(own.service)))
    require_encoding(unpooled_engine(database_url(sqlite_database(tmp_path))))


def test_an_unreachable_database_is_an_outage(own: Database) -> None:
    """It is not reported as unusable."""
    with pytest.raises(Unavailable, match='database "gone" does not exist'):
        require_encoding(unpooled_engine(database_url(own.service).set(database="gone")))
