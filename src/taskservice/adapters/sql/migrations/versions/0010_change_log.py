"""Add the change log, and the number of each owner's last change.

Stop every process of an older version first: it writes without a change in the log.
"""

from time import time_ns
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OWNER = "nullif(current_setting('taskservice.owner', true), '')"
PARTITIONS = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('tasks')"

# Who creates tasks takes numbers and logs, and removes what deleted tasks were from the log.
GRANTS = {"heads": "SELECT, INSERT, UPDATE", "changes": "SELECT, INSERT, UPDATE (previous)"}
GRANTEES = """
    SELECT CAST(CAST(grantee AS regrole) AS text)
      FROM pg_class, aclexplode(relacl)
     WHERE pg_class.oid = to_regclass('tasks') AND grantee NOT IN (0, relowner)
       AND privilege_type = 'INSERT'
"""


def by_code_point(limit: int) -> sa.String:
    """Return a text type that both engines compare by code point."""
    return sa.String(limit).with_variant(sa.String(limit, collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables, and let the numbers of those who have tasks or lists begin."""
    if op.get_bind().dialect.name == "postgresql":
        partitions = op.get_bind().execute(sa.text(PARTITIONS)).scalar_one()
        by_owner = {"postgresql_partition_by": "HASH (user_id)"}
        create_heads(**by_owner if partitions else {"postgresql_with": {"fillfactor": 50}})
        create_changes(**by_owner if partitions else {})
        create_partitions("heads", partitions, " WITH (fillfactor = 50)")
        create_partitions("changes", partitions)
        add_first_heads_on_postgresql()
        protect("heads", partitions)
        protect("changes", partitions)
        op.execute(
            "CREATE POLICY maintenance ON changes TO CURRENT_USER"
            " USING (at < transaction_timestamp() - INTERVAL '8 days') WITH CHECK (false)"
        )
    else:
        create_heads()
        create_changes()
        add_first_heads()


def create_heads(**options: Any) -> None:
    """Create the table of numbers."""
    op.create_table(
        "heads",
        sa.Column("user_id", by_code_point(128), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("heads_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("heads_user_id_check")),
        sa.CheckConstraint("seq >= 0", name=op.f("heads_seq_check")),
        **options,
    )


def create_changes(**options: Any) -> None:
    """Create the log."""
    op.create_table(
        "changes",
        sa.Column("user_id", by_code_point(128), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", by_code_point(40), nullable=False),
        sa.Column("kind", by_code_point(40), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous", sa.Text().with_variant(JSONB(), "postgresql")),
        sa.Column("client", by_code_point(128)),
        sa.Column("request_id", by_code_point(64)),
        sa.PrimaryKeyConstraint("user_id", "seq", name=op.f("changes_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("changes_user_id_check")),
        sa.CheckConstraint("seq >= 1", name=op.f("changes_seq_check")),
        sa.CheckConstraint("version >= 1", name=op.f("changes_version_check")),
        **options,
    )
    op.create_index("changes_by_entity", "changes", ["user_id", "entity_id", "seq"])


def create_partitions(table: str, partitions: int, options: str = "") -> None:
    """Create as many partitions as the table of tasks has."""
    for number in range(partitions):
        op.execute(
            f"CREATE TABLE {table}_{number:02} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number}){options}"
        )


def add_first_heads_on_postgresql() -> None:
    """Read the rows of all owners."""
    for table in ("tasks", "lists"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    add_first_heads()
    for table in ("tasks", "lists"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def add_first_heads() -> None:
    """Add a number for each owner of tasks or lists: the time, which no change has.

    It tells their time before the log from an owner who begins again.
    """
    milliseconds = time_ns() // 1_000_000
    for table in ("tasks", "lists"):
        op.execute(
            f"INSERT INTO heads (user_id, seq) SELECT DISTINCT user_id, {milliseconds}"  # noqa: S608
            f" FROM {table} WHERE true ON CONFLICT DO NOTHING"
        )


def protect(table: str, partitions: int) -> None:
    """Give each owner their rows, and those who serve the privileges for them."""
    for name in (table, *(f"{table}_{number:02}" for number in range(partitions))):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY owners ON {table} USING (user_id = {OWNER}) WITH CHECK (user_id = {OWNER})"
    )
    for role in op.get_bind().execute(sa.text(GRANTEES)).scalars().all():
        op.execute(f"GRANT {GRANTS[table]} ON {table} TO {role}")
