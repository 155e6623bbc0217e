"""Add the trash: deleted tasks are kept in a table of their own.

Stop every process of an older version first: it deletes tasks for good.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NO_DIGITS = "99999999999999"
OWNER = "nullif(current_setting('taskservice.owner', true), '')"
PARTITIONS = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('tasks')"

# Who deletes tasks moves them to the trash, and back.
GRANTEES = """
    SELECT CAST(CAST(grantee AS regrole) AS text)
      FROM pg_class, aclexplode(relacl)
     WHERE pg_class.oid = to_regclass('tasks') AND grantee NOT IN (0, relowner)
       AND privilege_type = 'DELETE'
"""


def by_code_point(limit: int) -> sa.String:
    """Return a text type that both engines compare by code point."""
    return sa.String(limit).with_variant(sa.String(limit, collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table, with partitions if that of tasks has some."""
    if op.get_bind().dialect.name != "postgresql":
        create_trash()
        return
    partitions = op.get_bind().execute(sa.text(PARTITIONS)).scalar_one()
    create_trash(**{"postgresql_partition_by": "HASH (user_id)"} if partitions else {})
    for number in range(partitions):
        op.execute(
            f"CREATE TABLE trash_{number:02} PARTITION OF trash"
            f" FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number})"
        )
    protect(["trash", *(f"trash_{number:02}" for number in range(partitions))])


def create_trash(**options: Any) -> None:
    """Create the table of the fields of a task, and its indexes."""
    op.create_table(
        "trash",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", by_code_point(128), nullable=False),
        sa.Column("title", by_code_point(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("trashed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trashed_with", sa.Uuid()),
        sa.Column("status", by_code_point(12), nullable=False, server_default="needs-action"),
        sa.Column("due", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("start", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("time_zone", by_code_point(64)),
        sa.Column("priority", sa.SmallInteger()),
        sa.Column("labels", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("list_id", sa.Uuid()),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("position", by_code_point(255), nullable=False, server_default=""),
        sa.Column("recurrence", by_code_point(255)),
        sa.Column("repeats_from", by_code_point(10), nullable=False, server_default="schedule"),
        sa.Column("occurrence", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("series_id", sa.Uuid()),
        sa.Column("next_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("trash_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("trash_user_id_check")),
        sa.CheckConstraint("version >= 1", name=op.f("trash_version_check")),
        **options,
    )
    op.create_index("trash_by_time", "trash", ["user_id", "trashed_at", "id"])
    is_in_tree = sa.text("trashed_with IS NOT NULL")
    op.create_index(
        "trash_by_root",
        "trash",
        ["user_id", "trashed_with", "trashed_at", "id"],
        sqlite_where=is_in_tree,
        postgresql_where=is_in_tree,
    )


def protect(tables: list[str]) -> None:
    """Give each owner their rows, and those who serve the privileges for them.

    Who owns the tables sees what may have expired, to name its owners.
    """
    for name in tables:
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY owners ON trash USING (user_id = {OWNER}) WITH CHECK (user_id = {OWNER})"
    )
    op.execute(
        "CREATE POLICY maintenance ON trash FOR SELECT TO CURRENT_USER"
        " USING (trashed_at < transaction_timestamp() - INTERVAL '1 day')"
    )
    for role in op.get_bind().execute(sa.text(GRANTEES)).scalars().all():
        op.execute(f"GRANT SELECT, INSERT, DELETE ON trash TO {role}")
