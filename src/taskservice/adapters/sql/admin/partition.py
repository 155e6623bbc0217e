"""Splitting the tables by owner, into hash partitions of PostgreSQL; serving needs no such thing.

What stands on a table (constraints, indexes, policies, grants) is read from
the catalogue and put on its partitioned successor under the same names, so
that this works at any version of the schema, and later migrations go on.
"""

from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from taskservice.adapters.sql.admin.migrate import lock_migrations
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.schema import require_current
from taskservice.adapters.sql.tables import OWNED

TABLES = [table.name for table in OWNED]
PARTITIONS = 16

_IS_PARTITIONED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('tasks')")

# Each returns statements that make anew what stands on a table; read before it is renamed.
_CONSTRAINTS = text("""
    SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s',
                  CAST(:table AS text), conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype <> 'n'
     ORDER BY conname
""")
_INDEXES = text("""
    SELECT pg_get_indexdef(indexrelid)
      FROM pg_index WHERE indrelid = CAST(:table AS regclass)
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY indexrelid
""")
_POLICIES = text("""
    SELECT format('CREATE POLICY %I ON %I AS %s FOR %s TO %s USING (%s) WITH CHECK (%s)',
                  policyname, tablename, permissive, cmd, named, qual, with_check)
      FROM pg_policies, LATERAL (
           SELECT string_agg(CASE role WHEN 'public' THEN role ELSE quote_ident(role) END, ', ')
             FROM unnest(roles) role) AS all_roles(named)
     WHERE tablename = :table AND schemaname = current_schema() ORDER BY policyname
""")
_GRANTS = text("""
    SELECT format('GRANT %s ON %I TO %s', privilege_type, relname, grantee::regrole)
      FROM pg_class, aclexplode(relacl)
     WHERE pg_class.oid = CAST(:table AS regclass) AND grantee <> relowner AND grantee <> 0
""")


class _Plan(NamedTuple):
    """The statements that make a table anew, in partitions."""

    table: str
    partitions: int
    after: list[str]

    @classmethod
    def of(cls, connection: Connection, table: str, partitions: int) -> "_Plan":
        """Return the plan for a table as it stands."""
        found = [
            statement
            for query in (_CONSTRAINTS, _INDEXES, _POLICIES, _GRANTS)
            for (statement,) in connection.execute(query, {"table": table})
        ]
        return cls(table, partitions, found)

    @property
    def statements(self) -> list[str]:
        """All of them, in order; a partition shows nothing to whoever goes there directly."""
        table, whole = self.table, f"{self.table}_whole"
        parts = [f"{table}_{number:02}" for number in range(self.partitions)]
        return [
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} RENAME TO {whole}",
            f"CREATE TABLE {table} (LIKE {whole} INCLUDING ALL EXCLUDING CONSTRAINTS "
            "EXCLUDING INDEXES) PARTITION BY HASH (user_id)",
            *(
                f"CREATE TABLE {part} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {self.partitions}, REMAINDER {number})"
                for number, part in enumerate(parts)
            ),
            f"INSERT INTO {table} SELECT * FROM {whole}",  # noqa: S608
            f"DROP TABLE {whole}",
            *self.after,
            *(
                f"ALTER TABLE {name} {how} ROW LEVEL SECURITY"
                for name in (table, *parts)
                for how in ("ENABLE", "FORCE")
            ),
        ]


def is_partitioned(engine: Engine) -> bool:
    """Tell whether there are tables, in partitions. Raises `Unavailable`."""
    with translate_errors(), engine.connect() as connection:
        return bool(connection.execute(_IS_PARTITIONED).scalar())


def partition(engine: Engine, partitions: int = PARTITIONS) -> None:
    """Put each table into so many `partitions` by owner, in one transaction, as its owning role.

    Nobody reads or writes a task meanwhile. Raises `SchemaOutdated` and
    `Unavailable`.
    """
    require_current(engine)
    with transaction(engine) as connection:
        lock_migrations(connection)
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(TABLES)}")
        for plan in [_Plan.of(connection, table, partitions) for table in TABLES]:
            for statement in plan.statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))
        for table in TABLES:
            connection.exec_driver_sql(f"ANALYZE {table}")
