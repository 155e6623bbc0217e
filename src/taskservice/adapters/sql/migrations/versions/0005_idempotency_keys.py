"""Name the table of idempotency records `idempotency_keys`, and store responses instead of tasks.

A record's task becomes a result of form 1, which this version reads. Stop every process
of an older version first: it uses the old names.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Constraints have the name of their table, and so have partitions and their keys. The table of
# another application may have a similar name.
RENAMES = """
    WITH own AS (
        SELECT oid, relname FROM pg_class WHERE oid = to_regclass('receipts')
        UNION ALL
        SELECT oid, relname FROM pg_class JOIN pg_inherits ON inhrelid = oid
         WHERE inhparent = to_regclass('receipts'))
    SELECT 1, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
                     CAST(own.oid AS regclass), conname,
                     replace(replace(conname, 'receipts', 'idempotency_keys'),
                             'digest', 'fingerprint'))
      FROM own JOIN pg_constraint ON conrelid = own.oid
     WHERE conname LIKE 'receipts%' AND (contype = 'p' OR coninhcount = 0)
    UNION ALL
    SELECT 2, format('ALTER TABLE %s RENAME TO %I', CAST(oid AS regclass),
                     replace(relname, 'receipts', 'idempotency_keys'))
      FROM own
     ORDER BY 1
"""


def upgrade() -> None:
    """Rename the table and its columns, and convert each record."""
    if op.get_bind().dialect.name == "postgresql":
        upgrade_postgresql()
    else:
        upgrade_sqlite()


def upgrade_postgresql() -> None:
    """Rename in place, so that policies and grants stay."""
    for _, statement in op.get_bind().execute(sa.text(RENAMES)).all():
        op.execute(statement)
    for statement in (
        "RENAME COLUMN digest TO fingerprint",
        "ALTER COLUMN task TYPE bytea USING"
        """ convert_to('{"form": 1}' || chr(10) || coalesce(CAST(task AS text), ''), 'UTF8')""",
        "RENAME COLUMN task TO result",
    ):
        op.execute(f"ALTER TABLE idempotency_keys {statement}")


def upgrade_sqlite() -> None:
    """Copy into a new table."""
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("idempotency_keys_pkey")),
        sa.CheckConstraint("user_id <> ''", name=op.f("idempotency_keys_user_id_check")),
    )
    op.execute(
        "INSERT INTO idempotency_keys SELECT user_id, key, digest,"
        """ CAST('{"form": 1}' || char(10) || coalesce(task, '') AS BLOB), created_at"""
        " FROM receipts"
    )
    op.drop_table("receipts")
