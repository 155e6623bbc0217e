"""Add the recurrence of tasks and the ids of their series.

Stop every process of an older version first: it closes tasks without a successor.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NO_DIGITS = "99999999999999"


def by_code_point(limit: int) -> sa.String:
    """Return a text type that both engines compare by code point."""
    return sa.String(limit).with_variant(sa.String(limit, collation="C"), "postgresql")


def upgrade() -> None:
    """Add columns with defaults, which writes no row, and the index of the tasks of a series."""
    for column in (
        sa.Column("recurrence", by_code_point(255)),
        sa.Column("repeats_from", by_code_point(10), nullable=False, server_default="schedule"),
        sa.Column("occurrence", sa.BigInteger(), nullable=False, server_default=sa.text(NO_DIGITS)),
        sa.Column("series_id", sa.Uuid()),
        sa.Column("next_id", sa.Uuid()),
    ):
        op.add_column("tasks", column)
    is_in_series = sa.text("series_id IS NOT NULL")
    op.create_index(
        "tasks_by_series",
        "tasks",
        ["user_id", "series_id", "id"],
        sqlite_where=is_in_series,
        postgresql_where=is_in_series,
    )
