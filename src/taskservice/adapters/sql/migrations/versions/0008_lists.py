"""Add lists, and the list, the parent and the position of tasks.

Stop every process of an older version first: it creates tasks without a position.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OWNER = "nullif(current_setting('taskservice.owner', true), '')"

# The milliseconds of the id, the first 12 hexadecimal digits, and 1.
POSTGRESQL_POSITION = "substr(replace(CAST(id AS text), '-', ''), 1, 12) || '1'"
SQLITE_POSITION = "substr(id, 1, 12) || '1'"

COPY_GRANTS = """
    SELECT format('GRANT %s ON lists TO %s', privilege_type, CAST(grantee AS regrole))
      FROM pg_class, aclexplode(relacl)
     WHERE pg_class.oid = to_regclass('tasks') AND grantee NOT IN (0, relowner)
"""
REFERENCES = {"list_id": "lists", "parent_id": "tasks"}
NO_DIGITS = "99999999999999"
STATUS_CHECK = "completed = (status = 'completed' OR status = 'cancelled')"
PARTITIONS = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('tasks')"


def by_code_point(limit: int) -> sa.String:
    """Return a text type that both engines compare by code point."""
    return sa.String(limit).with_variant(sa.String(limit, collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of lists, then add the columns with their values, keys and indexes."""
    if op.get_bind().dialect.name == "postgresql":
        partitions = op.get_bind().execute(sa.text(PARTITIONS)).scalar_one()
        create_lists(postgresql_partition_by="HASH (user_id)" if partitions else None)
        protect_lists([f"lists_{number:02}" for number in range(partitions)])
        upgrade_postgresql()
    else:
        create_lists()
        upgrade_sqlite()
    create_indexes()


def create_lists(**options: Any) -> None:
    """Create the table."""
    op.create_table(
        "lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", by_code_point(128), nullable=False),
        sa.Column("name", by_code_point(255), nullable=False),
        sa.Column("position", by_code_point(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("lists_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("lists_user_id_check")),
        sa.CheckConstraint("version >= 1", name=op.f("lists_version_check")),
        **options,
    )
    op.create_index("lists_by_position", "lists", ["user_id", "position", "id"])


def protect_lists(partitions: list[str]) -> None:
    """Give each owner their rows; who may read and write tasks, may do so with lists."""
    for number, partition in enumerate(partitions):
        bounds = f"(MODULUS {len(partitions)}, REMAINDER {number})"
        op.execute(f"CREATE TABLE {partition} PARTITION OF lists FOR VALUES WITH {bounds}")
    for table in ("lists", *partitions):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY owners ON lists USING (user_id = {OWNER}) WITH CHECK (user_id = {OWNER})"
    )
    for (grant,) in op.get_bind().execute(sa.text(COPY_GRANTS)).all():
        op.execute(grant)


def new_columns() -> list[sa.Column[object]]:
    """Return the columns."""
    return [
        sa.Column("list_id", sa.Uuid()),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("position", by_code_point(255), nullable=False, server_default=""),
    ]


def foreign_keys() -> list[sa.ForeignKeyConstraint]:
    """Return the keys. They have the owner, so that none leads to another owner's row."""
    return [
        sa.ForeignKeyConstraint(
            ["user_id", name],
            [f"{table}.user_id", f"{table}.id"],
            name=op.f(f"tasks_{name}_fkey"),
        )
        for name, table in REFERENCES.items()
    ]


def upgrade_postgresql() -> None:
    """Write each task once."""
    for column in new_columns():
        op.add_column("tasks", column)
    op.execute("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY")
    op.execute(f"UPDATE tasks SET position = {POSTGRESQL_POSITION}")  # noqa: S608
    op.execute("ALTER TABLE tasks FORCE ROW LEVEL SECURITY")
    for name, table in REFERENCES.items():
        op.create_foreign_key(
            op.f(f"tasks_{name}_fkey"), "tasks", table, ["user_id", name], ["user_id", "id"]
        )


def upgrade_sqlite() -> None:
    """Copy into a new table, as SQLite cannot add a foreign key to one that exists."""
    old = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("tasks")]
    op.rename_table("tasks", "tasks_old")
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger()),
        sa.Column("status", sa.String(12), nullable=False, server_default="needs-action"),
        sa.Column("due", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("start", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("time_zone", sa.String(64)),
        sa.Column("labels", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("due_utc", sa.DateTime(timezone=True)),
        sa.Column("start_utc", sa.DateTime(timezone=True)),
        sa.Column("label_search_text", sa.Text(), nullable=False, server_default=""),
        *new_columns(),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("tasks_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("tasks_user_id_check")),
        sa.CheckConstraint(
            "completed = (completed_at IS NOT NULL)", name=op.f("tasks_completed_check")
        ),
        sa.CheckConstraint(STATUS_CHECK, name=op.f("tasks_status_check")),
        sa.CheckConstraint("version >= 1", name=op.f("tasks_version_check")),
        *foreign_keys(),
    )
    columns = ", ".join(old)
    op.execute(
        f"INSERT INTO tasks ({columns}, position)"  # noqa: S608
        f" SELECT {columns}, {SQLITE_POSITION} FROM tasks_old"
    )
    op.drop_table("tasks_old")
    for column in ("updated_at", "title", "due"):
        op.create_index(f"tasks_by_{column}", "tasks", ["user_id", column, "id"])
    create_partial_index("tasks_open", [], "completed = 0")
    create_partial_index("tasks_open_by_due", ["due"], "completed = 0")
    create_partial_index("tasks_labeled", [], "labels != '[]'")


def create_indexes() -> None:
    """Create the indexes of the order in each list, in the inbox, and under each parent."""
    create_partial_index("tasks_in_list", ["list_id", "position"], "list_id IS NOT NULL")
    create_partial_index("tasks_in_inbox", ["position"], "list_id IS NULL")
    create_partial_index("tasks_by_parent", ["parent_id", "position"], "parent_id IS NOT NULL")


def create_partial_index(name: str, columns: list[str], where: str) -> None:
    """Create an index of the rows of each owner that match a condition."""
    condition = sa.text(where)
    op.create_index(
        name,
        "tasks",
        ["user_id", *columns, "id"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
