"""The first tables: tasks, and receipts of what was done."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def by_code_point(limit: int | None = None) -> sa.String:
    """Return a text type that both engines compare by code point."""
    kind = sa.String if limit else sa.Text
    return kind(limit).with_variant(kind(limit, collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables of tasks and of receipts."""
    create_tasks()
    create_receipts()


def create_tasks() -> None:
    """Create the table of tasks, and the indexes of its sorts."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", by_code_point(128), nullable=False),
        sa.Column("title", by_code_point(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("folded", by_code_point(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("tasks_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("tasks_user_id_check")),
        sa.CheckConstraint(
            "completed = (completed_at IS NOT NULL)", name=op.f("tasks_completed_check")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("tasks_version_check")),
    )
    op.create_index("tasks_by_updated_at", "tasks", ["user_id", "updated_at", "id"])
    op.create_index("tasks_by_title", "tasks", ["user_id", "title", "id"])
    op.create_index(
        "tasks_open",
        "tasks",
        ["user_id", "id"],
        sqlite_where=sa.text("completed = 0"),
        postgresql_where=sa.text("NOT completed"),
    )


def create_receipts() -> None:
    """Create the table of receipts."""
    op.create_table(
        "receipts",
        sa.Column("user_id", by_code_point(128), nullable=False),
        sa.Column("key", by_code_point(255), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("task", sa.JSON()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("receipts_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("receipts_user_id_check")),
    )
