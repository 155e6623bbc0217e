"""The role that migrates sees the receipts that it removes, and no other: tasks stand in them.

SQLite has no policies; there this version changes nothing.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave receipts that are in use to their owners."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER POLICY maintenance ON receipts"
            " USING (created_at < transaction_timestamp() - INTERVAL '24 hours')"
        )
