"""What PostgreSQL's own catalogue says of every table that has an owner."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import inspect
from tests.homes import Home

from taskservice.adapters.sql.admin.prune import IDEMPOTENCY_KEY_TTL
from taskservice.adapters.sql.schema import VERSION_TABLE

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
EXPIRED = (
    f"(created_at < (transaction_timestamp() - '{IDEMPOTENCY_KEY_TTL // HOUR}:00:00'::interval))"
)
OWN = "((user_id)::text = NULLIF(current_setting('taskservice.owner'::text, true), ''::text))"


@pytest.fixture
def tables(home: Home) -> list[str]:
    """Every table that has an owner: found, not listed."""
    with psycopg.connect(home.superuser) as connection:
        return [name for (name,) in connection.execute(OWNED)]


def test_every_table_has_an_owner(home: Home, tables: list[str]) -> None:
    """No table holds content without saying whose it is."""
    assert set(inspect(home.inspected).get_table_names()) == {*tables, VERSION_TABLE}
    assert tables == ["receipts", "tasks"]


def test_every_owned_table_is_held(home: Home, tables: list[str]) -> None:
    """Row-level security enabled and forced, no nameless owner, and a key that begins with it."""
    with psycopg.connect(home.superuser) as connection:
        for table in tables:
            assert connection.execute(HELD, (table,)).fetchone() == (True, True, True, "user_id")


def test_the_policies_are_these_and_no_more(home: Home, tables: list[str]) -> None:
    """One policy shows a row to its owner; another, for receipts, lets their keeper prune."""
    owners = ("owners", "PERMISSIVE", "ALL", ["public"], OWN, OWN)
    keeper = home.role.replace("_service", "_owner")
    maintenance = ("maintenance", "PERMISSIVE", "ALL", [keeper], EXPIRED, "false")
    expected = {"tasks": [owners], "receipts": [maintenance, owners]}
    with psycopg.connect(home.superuser) as connection:
        assert {table: connection.execute(POLICIES, (table,)).fetchall() for table in tables} == (
            expected
        )


def test_the_role_that_serves_may_use_every_table(home: Home, tables: list[str]) -> None:
    """`db grant` forgets no table: a new one needs a line there."""
    with psycopg.connect(home.service) as connection:
        for table in tables:
            asked = "SELECT has_table_privilege(%s, 'SELECT') AND has_table_privilege(%s, 'INSERT')"
            assert connection.execute(asked, (table, table)).fetchone() == (True,)
