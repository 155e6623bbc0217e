"""Hash partitioning of the tables by owner (PostgreSQL), for very large tables.

Constraints, indexes, policies and grants are read from the system catalogs, and
created on the partitioned table under the same names. So this works at any schema
version, and later migrations apply.
"""

from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from taskservice.adapters.sql.admin.table_locks import lock_tables
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.schema import require_current
from taskservice.adapters.sql.tables import OWNED_TABLES

TABLE_NAMES = [table.name for table in OWNED_TABLES]
DEFAULT_PARTITIONS = 16

_IS_PARTITIONED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('tasks')")

# Each returns the statements that recreate a table's objects; run it before the table is renamed.
_CONSTRAINTS = text("""
    SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s',
                  CAST(:table AS text), conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype <> 'n'
     ORDER BY contype = 'f', conname
""")
_FOREIGN_KEYS = text("""
    SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', CAST(:table AS text), conname)
      FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype = 'f'
""")
_INDEXES = text("""
    SELECT pg_get_indexdef(indexrelid)
      FROM pg_index WHERE indrelid = CAST(:table AS regclass)
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY indexrelid
""")
_POLICIES = text("""
    SELECT format('CREATE POLICY %I ON %I AS %s FOR %s TO %s USING (%s)',
                  policyname, tablename, permissive, cmd, named, qual)
           || coalesce(' WITH CHECK (' || with_check || ')', '')
      FROM pg_policies, LATERAL (
           SELECT string_agg(CASE role WHEN 'public' THEN role ELSE quote_ident(role) END, ', ')
             FROM unnest(roles) role) AS all_roles(named)
     WHERE tablename = :table AND schemaname = current_schema() ORDER BY policyname
""")
_OPTIONS = text("""
    SELECT coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '')
      FROM pg_class WHERE oid = CAST(:table AS regclass)
""")
_GRANTS = text("""
    WITH granted AS (
         SELECT relname, relowner, '' AS columns, relacl AS acl
           FROM pg_class WHERE oid = CAST(:table AS regclass)
         UNION ALL
         SELECT relname, relowner, format(' (%I)', attname), attacl
           FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
          WHERE pg_class.oid = CAST(:table AS regclass))
    SELECT format('GRANT %s%s ON %I TO %s', privilege_type, columns, relname, grantee::regrole)
      FROM granted, aclexplode(acl) WHERE grantee <> relowner AND grantee <> 0
""")


class _Plan(NamedTuple):
    """The statements that recreate a table in partitions."""

    table: str
    partitions: int
    options: str
    definitions: list[str]

    @classmethod
    def of(cls, connection: Connection, table: str, partitions: int) -> "_Plan":
        """Return the plan for an existing table."""
        definitions = [
            statement
            for query in (_CONSTRAINTS, _INDEXES, _POLICIES, _GRANTS)
            for (statement,) in connection.execute(query, {"table": table})
        ]
        options = connection.execute(_OPTIONS, {"table": table}).scalar_one()
        return cls(table, partitions, options, definitions)

    @property
    def statements(self) -> list[str]:
        """All statements in order. Partitions get no policy, so direct access shows no rows."""
        table, old_table = self.table, f"{self.table}_unpartitioned"
        return [
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} RENAME TO {old_table}",
            f"CREATE TABLE {table} (LIKE {old_table} INCLUDING ALL EXCLUDING CONSTRAINTS "
            "EXCLUDING INDEXES) PARTITION BY HASH (user_id)",
            *(
                f"CREATE TABLE {part} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {self.partitions}, REMAINDER {number}){self.options}"
                for number, part in enumerate(self._parts)
            ),
            f"INSERT INTO {table} SELECT * FROM {old_table}",  # noqa: S608
            f"DROP TABLE {old_table}",
            *self.definitions,
        ]

    @property
    def protection(self) -> list[str]:
        """The statements that protect the rows, also from those that validate foreign keys."""
        return [
            f"ALTER TABLE {name} {action} ROW LEVEL SECURITY"
            for name in (self.table, *self._parts)
            for action in ("ENABLE", "FORCE")
        ]

    @property
    def _parts(self) -> list[str]:
        return [f"{self.table}_{number:02}" for number in range(self.partitions)]


def is_partitioned(engine: Engine) -> bool:
    """Return whether the tables are partitioned. Raise `Unavailable`."""
    with translate_errors(), engine.connect() as connection:
        return bool(connection.execute(_IS_PARTITIONED).scalar())


def partition(engine: Engine, partitions: int = DEFAULT_PARTITIONS) -> None:
    """Split each table into hash `partitions` by owner, in one transaction, as its owning role.

    Reads and writes of tasks block meanwhile. Raise `SchemaOutdated` or `Unavailable`.
    """
    require_current(engine)
    with transaction(engine) as connection:
        lock_tables(connection)
        plans = [_Plan.of(connection, table, partitions) for table in TABLE_NAMES]
        for plan in plans:
            for (drop,) in connection.execute(_FOREIGN_KEYS, {"table": plan.table}).all():
                connection.exec_driver_sql(drop)
        for statement in (
            *chain.from_iterable(plan.statements for plan in plans),
            *chain.from_iterable(plan.protection for plan in plans),
        ):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        for table in TABLE_NAMES:
            connection.exec_driver_sql(f"ANALYZE {table}")
