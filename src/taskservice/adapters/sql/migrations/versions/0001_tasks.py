"""The first table: tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def by_code_point(limit: int) -> sa.String:
    """Return a text type that both engines compare by code point."""
    return sa.String(limit).with_variant(sa.String(limit, collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of tasks."""
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
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("tasks_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("tasks_user_id_check")),
        sa.CheckConstraint(
            "completed = (completed_at IS NOT NULL)", name=op.f("tasks_completed_check")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("tasks_version_check")),
    )
