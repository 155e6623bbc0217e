"""Row-level security on PostgreSQL: a row is there for its owner alone.

SQLite has none; there this version changes nothing.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A setting that was set for one transaction reads '' after it, and not NULL.
OWNER = "nullif(current_setting('taskservice.owner', true), '')"


def upgrade() -> None:
    """Show a row, and take one, only in the name of its owner; expired receipts are for pruning."""
    if op.get_bind().dialect.name == "postgresql":
        for table in ("tasks", "receipts"):
            protect(table)
        op.execute(
            "CREATE POLICY maintenance ON receipts TO CURRENT_USER USING (true) WITH CHECK (false)"
        )


def protect(table: str) -> None:
    """Enable and force row-level security on a table with a `user_id`."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY owners ON {table} USING (user_id = {OWNER}) WITH CHECK (user_id = {OWNER})"
    )
