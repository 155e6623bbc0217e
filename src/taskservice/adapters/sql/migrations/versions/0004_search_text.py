"""Rename the column of the text that is searched, on SQLite and PostgreSQL.

Stop every process of an older version first: it writes the old name.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


NAMED = """
    SELECT 1 FROM pg_constraint
     WHERE conrelid = CAST('tasks' AS regclass) AND conname = 'tasks_folded_not_null'
"""


def upgrade() -> None:
    """Rename the column; no row is written. PostgreSQL 18 names NOT NULL constraints too."""
    op.execute("ALTER TABLE tasks RENAME COLUMN folded TO search_text")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql" and connection.exec_driver_sql(NAMED).first():
        op.execute(
            "ALTER TABLE tasks"
            " RENAME CONSTRAINT tasks_folded_not_null TO tasks_search_text_not_null"
        )
