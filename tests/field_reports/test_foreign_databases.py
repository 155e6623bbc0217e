"""A database that another application uses too: its tables and its version stay as they are.

langflow#2905, prefect#6050: two applications that keep their version in Alembic's own table.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from tests.postgres import Databases

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.admin.migrate import ALEMBIC_TABLE, upgrade
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.core.errors import SchemaOutdated, UnusableDatabase

ANOTHER = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql: Databases
) -> Iterator[Engine]:
    """An empty database."""
    if request.param == "sqlite":
        yield unpooled_engine(database_url(f"sqlite:///{tmp_path}/tasks.db"))
        return
    address = postgresql.create_database()
    yield unpooled_engine(database_url(address))
    postgresql.drop_database(address)


def execute(database: Engine, *statements: str) -> None:
    with database.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def number(database: Engine, table: str) -> str:
    with database.connect() as connection:
        return str(connection.execute(text(f"SELECT version_num FROM {table}")).scalar_one())


@pytest.mark.parametrize("foreign", ["a1b2c3d4", schema.VERSIONS[-1], "9999"])
def test_another_applications_version_is_not_ours(database: Engine, foreign: str) -> None:
    """Whatever its number: the database has no schema version, and an upgrade leaves the number alone."""
    execute(database, ANOTHER, f"INSERT INTO alembic_version VALUES ('{foreign}')")
    with pytest.raises(SchemaOutdated, match="is at version none"):
        schema.require_current(database)
    for _ in range(2):
        upgrade(database)
        schema.require_current(database)
        assert number(database, ALEMBIC_TABLE) == foreign


@pytest.mark.parametrize("version", schema.VERSIONS)
def test_our_version_is_taken_over(
    database: Engine, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the table of an earlier checkout, whose name is free for others then."""
    to_the_newest = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _: to_the_newest(config, version))
        upgrade(database)
    execute(database, f"ALTER TABLE {schema.VERSION_TABLE} RENAME TO {ALEMBIC_TABLE}")
    if database.dialect.name == "postgresql":
        rename = f"RENAME CONSTRAINT {schema.VERSION_TABLE}_pkc TO {ALEMBIC_TABLE}_pkc"
        execute(database, f"ALTER TABLE {ALEMBIC_TABLE} {rename}")
    upgrade(database)
    schema.require_current(database)
    assert not inspect(database).has_table(ALEMBIC_TABLE)
    execute(database, ANOTHER.replace("PRIMARY KEY", f"CONSTRAINT {ALEMBIC_TABLE}_pkc PRIMARY KEY"))


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [ANOTHER],
        [ANOTHER, "INSERT INTO alembic_version VALUES ('a1b2c3d4')"],
        [ANOTHER, f"INSERT INTO alembic_version VALUES ('{schema.VERSIONS[-1]}'), ('a1b2c3d4')"],
    ],
    ids=["no table", "no version", "another's version", "two versions"],
)
def test_tables_without_our_version_are_not_taken_over(
    database: Engine, statements: list[str]
) -> None:
    """Even if they have our names and columns: nobody knows at which version they are."""
    upgrade(database)
    execute(database, f"DROP TABLE {schema.VERSION_TABLE}", *statements)
    with pytest.raises(UnusableDatabase, match="was not created by taskservice"):
        upgrade(database)


def test_a_schema_of_its_own_is_enough(postgresql: Databases) -> None:
    """On PostgreSQL: the tables of other schemas on the `search_path` are neither ours nor changed."""
    address = postgresql.create_database()
    another = unpooled_engine(database_url(address))
    execute(another, "CREATE TABLE tasks (id integer)", "CREATE SCHEMA own")
    database = unpooled_engine(database_url(f"{address}?options=-csearch_path%3Down,public"))
    upgrade(database)
    schema.require_current(database)
    assert [column["name"] for column in inspect(another).get_columns("tasks")] == ["id"]
    postgresql.drop_database(address)


@pytest.mark.parametrize("schema_name", ["public", "Tasks", "my tasks"])
def test_a_table_with_a_similar_name_stays_as_it_is(
    postgresql: Databases, schema_name: str
) -> None:
    """An upgrade renames only its own table, in whatever schema that is."""
    address = postgresql.create_database()
    another = unpooled_engine(database_url(address))
    execute(
        another,
        f'CREATE SCHEMA IF NOT EXISTS "{schema_name}"',
        f'CREATE TABLE "{schema_name}".receipts_archive (digest integer'
        " CONSTRAINT receipts_archive_digest_positive CHECK (digest > 0))",
    )
    path = quote(f"-csearch_path={schema_name}".replace("=", '="') + '"').replace("%20", "%5C%20")
    database = unpooled_engine(database_url(f"{address}?options={path}"))
    upgrade(database)
    schema.require_current(database)
    found = inspect(another)
    assert "receipts_archive" in found.get_table_names(schema_name)
    (constraint,) = found.get_check_constraints("receipts_archive", schema_name)
    assert constraint["name"] == "receipts_archive_digest_positive"
    postgresql.drop_database(address)


def test_another_applications_table_is_named(database: Engine) -> None:
    """It is neither changed nor served."""
    execute(database, "CREATE TABLE tasks (id integer)")
    with pytest.raises(
        UnusableDatabase, match="table tasks exists and was not created by taskservice"
    ):
        upgrade(database)
    assert [column["name"] for column in inspect(database).get_columns("tasks")] == ["id"]


def test_another_applications_table_is_named_before_an_upgrade(database: Engine) -> None:
    """A later migration would create a table with its name; nothing has changed."""
    upgrade(database, "0007")
    execute(database, "CREATE TABLE lists (id integer)")
    with pytest.raises(UnusableDatabase, match="table lists exists"):
        upgrade(database)
    assert schema.current(database) == "0007"


def test_a_newer_schema_stays_as_it_is(database: Engine) -> None:
    """An upgrade by an older version, as in a release command that is rolled back."""
    upgrade(database)
    execute(database, f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    upgrade(database)
    assert number(database, schema.VERSION_TABLE) == "9999"


def test_what_is_no_version_is_not_newer(database: Engine) -> None:
    """It is named, and not served."""
    upgrade(database)
    execute(database, f"UPDATE {schema.VERSION_TABLE} SET version_num = 'a1b2c3d4'")
    with pytest.raises(UnusableDatabase, match="is at a1b2c3d4, which is not a version"):
        schema.require_current(database)
