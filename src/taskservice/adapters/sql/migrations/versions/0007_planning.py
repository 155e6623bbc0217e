"""Add status, due, start, time zone and labels to tasks, and the version of the zone data.

Stop every process of an older version first: it completes a task without its status.
"""

import sqlalchemy as sa
from alembic import op

from taskservice.core.zones import ZONE_DATA_VERSION

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NO_DIGITS = "99999999999999"
STATUS_CHECK = "completed = (status = 'completed' OR status = 'cancelled')"


def by_code_point(limit: int | None = None) -> sa.String:
    """Return a text type that both engines compare by code point."""
    kind = sa.String if limit else sa.Text
    return kind(limit).with_variant(kind(limit, collation="C"), "postgresql")


def new_columns() -> list[sa.Column[object]]:
    """Return the columns. The default of the digits means no date."""
    return [
        sa.Column("status", by_code_point(12), nullable=False, server_default="needs-action"),
        sa.Column("due", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("start", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("time_zone", by_code_point(64)),
        sa.Column("labels", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("due_utc", sa.DateTime(timezone=True)),
        sa.Column("start_utc", sa.DateTime(timezone=True)),
        sa.Column("label_search_text", by_code_point(), nullable=False, server_default=""),
    ]


def upgrade() -> None:
    """Add the columns, set the status of completed tasks, create the indexes."""
    if op.get_bind().dialect.name == "postgresql":
        upgrade_postgresql()
    else:
        upgrade_sqlite()
    create_indexes()
    zone_data = op.create_table(
        "taskservice_zone_data", sa.Column("version", sa.String(32), nullable=False)
    )
    op.bulk_insert(zone_data, [{"version": ZONE_DATA_VERSION}])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT ON taskservice_zone_data TO PUBLIC")


def upgrade_postgresql() -> None:
    """Write only the rows of completed tasks.

    The policy lets the tables' owner find the tasks whose moments a new version of the
    zone data may change.
    """
    for column in new_columns():
        op.add_column("tasks", column)
    op.execute("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE tasks SET status = 'completed' WHERE completed")
    op.execute("ALTER TABLE tasks FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(op.f("tasks_status_check"), "tasks", STATUS_CHECK)
    op.execute(
        "CREATE POLICY zones ON tasks FOR SELECT TO CURRENT_USER USING (time_zone IS NOT NULL)"
    )


def upgrade_sqlite() -> None:
    """Copy into a new table, as SQLite cannot add a check to one that exists."""
    old = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("tasks")]
    for index in ("tasks_by_updated_at", "tasks_by_title", "tasks_open"):
        op.drop_index(index)
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
        *new_columns(),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("tasks_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("tasks_user_id_check")),
        sa.CheckConstraint(
            "completed = (completed_at IS NOT NULL)", name=op.f("tasks_completed_check")
        ),
        sa.CheckConstraint(STATUS_CHECK, name=op.f("tasks_status_check")),
        sa.CheckConstraint("version >= 1", name=op.f("tasks_version_check")),
    )
    columns = ", ".join(old)
    op.execute(
        f"INSERT INTO tasks ({columns}, status) SELECT {columns},"  # noqa: S608
        " CASE WHEN completed THEN 'completed' ELSE 'needs-action' END FROM tasks_old"
    )
    op.drop_table("tasks_old")
    op.create_index("tasks_by_updated_at", "tasks", ["user_id", "updated_at", "id"])
    op.create_index("tasks_by_title", "tasks", ["user_id", "title", "id"])
    create_partial_index("tasks_open", ["user_id", "id"], "completed = 0")


def create_indexes() -> None:
    """Create the indexes of the sorts and filters by due, and of tasks with labels."""
    is_open = "NOT completed" if op.get_bind().dialect.name == "postgresql" else "completed = 0"
    op.create_index("tasks_by_due", "tasks", ["user_id", "due", "id"])
    create_partial_index("tasks_open_by_due", ["user_id", "due", "id"], is_open)
    create_partial_index("tasks_labeled", ["user_id", "id"], "labels != '[]'")


def create_partial_index(name: str, columns: list[str], where: str) -> None:
    """Create an index of the rows that match a condition."""
    condition = sa.text(where)
    op.create_index(name, "tasks", columns, sqlite_where=condition, postgresql_where=condition)
