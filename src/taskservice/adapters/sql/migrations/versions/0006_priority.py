"""Add the priority of a task."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is null; no row is written."""
    op.add_column("tasks", sa.Column("priority", sa.SmallInteger()))
