"""The SQL storage adapter: SQLite and PostgreSQL through SQLAlchemy."""
