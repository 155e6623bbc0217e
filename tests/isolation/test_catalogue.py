"""PostgreSQL's system catalogs: every table with an owner is protected."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import inspect
from tests.databases import Database

from taskservice.adapters.sql.admin.prune import IDEMPOTENCY_KEY_TTL
from taskservice.adapters.sql.schema import VERSION_TABLE, ZONE_DATA_TABLE

HOUR = timedelta(hours=1)
HELD = """
    SELECT relrowsecurity, relforcerowsecurity,
           EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c'
                      AND pg_get_constraintdef(c.oid) ~ $$user_id\\)?::text <> ''$$),
           (SELECT a.attname FROM pg_index i JOIN pg_attribute a
                ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE i.indrelid = t.oid AND i.indisprimary)
      FROM pg_class t WHERE t.oid = %s::regclass
"""
POLICIES = """
    SELECT policyname, permissive, cmd, roles::text[], qual, with_check
      FROM pg_policies WHERE tablename = %s ORDER BY policyname
"""
OWNED = """
    SELECT attrelid::regclass::text
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE attname = 'user_id' AND relkind IN ('r', 'p') AND NOT attisdropped ORDER BY 1
"""
FOREIGN_KEYS = """
    SELECT conname, conrelid::regclass::text, confrelid::regclass::text, own.attname, theirs.attname
      FROM pg_constraint
      JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = conkey[1]
      JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = confkey[1]
     WHERE contype = 'f' ORDER BY 1, 2, 3
"""
PRIVILEGES = """
    SELECT relname,
           (SELECT coalesce(string_agg(word, ',' ORDER BY word), '')
              FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS word
             WHERE has_table_privilege(pg_class.oid, word)),
           (SELECT coalesce(array_agg(attname::text ORDER BY attname), '{}')
              FROM pg_attribute
             WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
               AND has_column_privilege(attrelid, attnum, 'UPDATE'))
      FROM pg_class WHERE relname ~ '^(changes|heads|trash)(_[0-9]+)?$' AND relkind IN ('r', 'p')
"""
EXPIRED = (
    f"(created_at < (transaction_timestamp() - '{IDEMPOTENCY_KEY_TTL // HOUR}:00:00'::interval))"
)
OLD = "(at < (transaction_timestamp() - '8 days'::interval))"
TRASHED = "(trashed_at < (transaction_timestamp() - '1 day'::interval))"
OWN = "((user_id)::text = NULLIF(current_setting('taskservice.owner'::text, true), ''::text))"


@pytest.fixture
def tables(database: Database) -> list[str]:
    """Every table that has an owner: found, not listed."""
    with psycopg.connect(database.superuser) as connection:
        return [name for (name,) in connection.execute(OWNED)]


def test_every_table_has_an_owner(database: Database, tables: list[str]) -> None:
    """Every table with content has a `user_id`."""
    versions = {VERSION_TABLE, ZONE_DATA_TABLE}
    assert set(inspect(database.superuser_engine).get_table_names()) == {*tables, *versions}
    assert tables == ["changes", "heads", "idempotency_keys", "lists", "tasks", "trash"]


def test_row_level_security_is_forced_on_every_table(database: Database, tables: list[str]) -> None:
    """Row-level security is forced, the owner is not empty, and begins the primary key."""
    with psycopg.connect(database.superuser) as connection:
        for table in tables:
            assert connection.execute(HELD, (table,)).fetchone() == (True, True, True, "user_id")


def test_the_policies_are_exactly_these(database: Database, tables: list[str]) -> None:
    """One for the owner of a row; four for the tables' owner, to prune and to rezone."""
    owners = ("owners", "PERMISSIVE", "ALL", ["public"], OWN, OWN)
    keeper = database.role.replace("_service", "_owner")
    maintenance = ("maintenance", "PERMISSIVE", "ALL", [keeper], EXPIRED, "false")
    pruning = ("maintenance", "PERMISSIVE", "ALL", [keeper], OLD, "false")
    naming = ("maintenance", "PERMISSIVE", "SELECT", [keeper], TRASHED, None)
    zones = ("zones", "PERMISSIVE", "SELECT", [keeper], "(time_zone IS NOT NULL)", None)
    expected = {
        "tasks": [owners, zones],
        "lists": [owners],
        "idempotency_keys": [maintenance, owners],
        "heads": [owners],
        "changes": [pruning, owners],
        "trash": [naming, owners],
    }
    with psycopg.connect(database.superuser) as connection:
        assert {table: connection.execute(POLICIES, (table,)).fetchall() for table in tables} == (
            expected
        )


@pytest.mark.parametrize("entered", ["database", "partitioned_database"])
def test_the_log_is_only_added_to(request: pytest.FixtureRequest, entered: str) -> None:
    """What serves may delete no change and no number, nor edit more than `previous`.

    It may not edit the trash. A partition itself it may not even read.
    """
    database: Database = request.getfixturevalue(entered)
    with psycopg.connect(database.service) as connection:
        found = {name: given for name, *given in connection.execute(PRIVILEGES).fetchall()}
    assert {name: found.pop(name) for name in ("changes", "heads", "trash")} == {
        "changes": ["INSERT,SELECT", ["previous"]],
        "heads": ["INSERT,SELECT,UPDATE", ["seq", "user_id"]],
        "trash": ["DELETE,INSERT,SELECT", []],
    }
    assert len(found) == (0 if entered == "database" else 48)
    assert all(given == ["", []] for given in found.values())


@pytest.mark.parametrize("entered", ["database", "partitioned_database"])
def test_every_foreign_key_begins_with_the_owner(
    request: pytest.FixtureRequest, entered: str
) -> None:
    """On both sides, so that no row refers to another owner's; also in each partition."""
    database: Database = request.getfixturevalue(entered)
    with psycopg.connect(database.superuser) as connection:
        keys = connection.execute(FOREIGN_KEYS).fetchall()
    assert {tuple(key[:3]) for key in keys} >= {
        ("tasks_list_id_fkey", "tasks", "lists"),
        ("tasks_parent_id_fkey", "tasks", "tasks"),
    }
    assert {tuple(key[3:]) for key in keys} == {("user_id", "user_id")}


def test_the_role_that_serves_may_use_every_table(database: Database, tables: list[str]) -> None:
    """`db grant` covers every table."""
    with psycopg.connect(database.service) as connection:
        for table in tables:
            asked = "SELECT has_table_privilege(%s, 'SELECT') AND has_table_privilege(%s, 'INSERT')"
            assert connection.execute(asked, (table, table)).fetchone() == (True,)
