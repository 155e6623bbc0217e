"""Tasks in a SQL database: SQLite and PostgreSQL, by one adapter on SQLAlchemy Core."""
