"""The table `trash` keeps a task whole, and each table with an owner is protected alike."""

from typing import Any, NamedTuple

import psycopg
import pytest
from sqlalchemy import Engine, inspect
from tests.databases import Database

from taskservice.adapters.sql.schema import REQUIRED_PRIVILEGES
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.core.trashed_task import TrashedTask

NAMES = {table.name for table in OWNED_TABLES}
WITH_OWNER = """
    SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE attname = 'user_id' AND relkind IN ('r', 'p') AND NOT relispartition
"""
PROTECTED = """
    SELECT relname, relrowsecurity AND relforcerowsecurity,
           EXISTS (SELECT FROM pg_policies WHERE tablename = relname AND policyname = 'owners')
      FROM pg_class WHERE relname ~ ('^(' || %s || ')(_[0-9]+)?$') AND relkind IN ('r', 'p')
"""
GRANTED = """
    SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)
     WHERE grantee = %(role)s::regrole AND relkind IN ('r', 'p')
    UNION ALL
    SELECT relname, format('%%s (%%s)', privilege_type, attname)
      FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
     WHERE grantee = %(role)s::regrole
"""


class Definition(NamedTuple):
    """How a column is stored."""

    type: str
    nullable: bool
    default: str | None


def definitions(engine: Engine, table: str) -> dict[str, Definition]:
    """Return the columns of a table, by name."""
    columns: list[Any] = inspect(engine).get_columns(table)
    return {
        one["name"]: Definition(repr(one["type"]), one["nullable"], one["default"])
        for one in columns
    }


@pytest.mark.parametrize("name", ["sqlite", "superuser_engine"])
def test_the_trash_has_the_columns_of_a_task(request: pytest.FixtureRequest, name: str) -> None:
    """After the migrations: a field has the same type, default and null in both tables."""
    engine = request.getfixturevalue(name)
    tasks, trash = (definitions(engine, table) for table in ("tasks", "trash"))
    fields = fields_of(Task).keys() | {"user_id"}
    assert {column: trash[column] for column in fields} == {one: tasks[one] for one in fields}
    assert trash.keys() == fields_of(TrashedTask).keys() | {"user_id"}
    assert not trash["trashed_at"].nullable
    assert trash["trashed_with"].nullable
    assert trash["trashed_at"].type == tasks["created_at"].type
    assert inspect(engine).get_foreign_keys("trash") == []


@pytest.mark.parametrize(("name", "partitions"), [("database", 0), ("partitioned_database", 16)])
def test_every_table_with_an_owner_is_protected(
    request: pytest.FixtureRequest, name: str, partitions: int
) -> None:
    """Row-level security is forced on it and its partitions; only the table has the policy."""
    database: Database = request.getfixturevalue(name)
    with psycopg.connect(database.superuser) as connection:
        assert {table for (table,) in connection.execute(WITH_OWNER)} == NAMES
        found = connection.execute(PROTECTED, ("|".join(NAMES),)).fetchall()
    assert {table for table, is_forced, _ in found if not is_forced} == set()
    assert {table for table, _, has_policy in found if has_policy} == NAMES
    assert len(found) == len(NAMES) * (1 + partitions)


@pytest.mark.parametrize("name", ["database", "partitioned_database"])
def test_the_role_that_serves_has_the_required_privileges(
    request: pytest.FixtureRequest, name: str
) -> None:
    """No others, and on no partition. In the trash it edits no task."""
    database: Database = request.getfixturevalue(name)
    with psycopg.connect(database.superuser) as connection:
        found = connection.execute(GRANTED, {"role": database.role}).fetchall()
    required = {(table, one) for table, some in REQUIRED_PRIVILEGES.items() for one in some}
    assert set(found) == required
    assert {one for table, one in found if table == "trash"} == {"SELECT", "INSERT", "DELETE"}
    assert REQUIRED_PRIVILEGES.keys() >= NAMES
