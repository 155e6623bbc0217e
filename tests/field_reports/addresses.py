"""Database addresses as hosts, frameworks and people write them, and what is read of each."""

from tests.field_reports.report import Report

_PRISMA, _SUPABASE = "prisma/orm#12121", "supabase#22681"
_FAILOVER, _SOCKET = "pg_auto_failover#875", "dj-database-url#29"
_SQLALCHEMY, _HOSTS = "sqlalchemy#4392", "hosts' consoles"

ENCODE = "percent-encode spaces and @ / ? : % in user and password, for example @ as %40"
NO_ADDRESS = f"is not a valid database address: {ENCODE}"
NO_PORT = f"has an invalid port, not 1 to 65535; or {ENCODE}"
UNKNOWN = "has an unknown PostgreSQL parameter: pgbouncer"

Parameters = dict[str, object]

READ: list[Report[str, Parameters]] = [
    Report(_HOSTS, "the short scheme", "postgres://ada:secret@db.example/tasks", {"user": "ada", "password": "secret", "host": "db.example", "dbname": "tasks"}),
    Report(_HOSTS, "TLS and channel binding", "postgresql://db/tasks?sslmode=require&channel_binding=require", {"host": "db", "dbname": "tasks", "sslmode": "require", "channel_binding": "require"}),
    Report(_SUPABASE, "JDBC's word for TLS", "postgresql://ada@db/tasks?ssl=true", {"user": "ada", "host": "db", "dbname": "tasks", "sslmode": "require"}),
    Report(_FAILOVER, "several hosts", "postgresql://u@h1:5432,h2:5433/db?target_session_attrs=read-write", {"user": "u", "host": "h1,h2", "port": "5432,5433", "dbname": "db", "target_session_attrs": "read-write"}),
    Report(_FAILOVER, "several hosts, one port", "postgresql://h1,h2/db?port=6432", {"host": "h1,h2", "port": "6432,6432", "dbname": "db"}),
    Report(_SOCKET, "a socket's folder as the host", "postgresql://u@%2Fvar%2Frun%2Fpostgresql/db", {"user": "u", "host": "/var/run/postgresql", "dbname": "db"}),
    Report(_SOCKET, "a socket's folder as a parameter", "postgresql:///db?host=/var/run/postgresql&port=5433", {"host": "/var/run/postgresql", "port": 5433, "dbname": "db"}),
    Report(_SQLALCHEMY, "an IPv6 address", "postgresql://[::1]:5432/db", {"host": "::1", "port": 5432, "dbname": "db"}),
    Report(_SQLALCHEMY, "a search path", "postgresql://h/db?options=-csearch_path%3Dtasks", {"host": "h", "dbname": "db", "options": "-csearch_path=tasks"}),
    Report("fastapi", "FastAPI's tutorial", "sqlite:///x.db?check_same_thread=false", {"check_same_thread": False}),
    Report(_SQLALCHEMY, "an encoded password", "postgresql://u:p%40%2F%3F@h/db", {"user": "u", "password": "p@/?", "host": "h", "dbname": "db"}),
]  # fmt: skip

REFUSED: list[Report[str, str]] = [
    Report(_PRISMA, "Prisma's parameter", "postgresql://u@h/db?pgbouncer=true", UNKNOWN),
    Report(_PRISMA, "all that Prisma adds", "postgresql://u@h/db?pgbouncer=true&connection_limit=1", f"{UNKNOWN}, connection_limit"),
    Report(_PRISMA, "a parameter of SQLite's that is none", "sqlite:///x.db?pgbouncer=true", "has an unknown SQLite parameter: pgbouncer"),
    Report(_SUPABASE, "a time-out that is no number", "postgresql://u@h/db?connect_timeout=abc", "has an invalid connect_timeout: it must be a whole number of seconds"),
    Report(_SUPABASE, "SQLite's time-out that is no number", "sqlite:///x.db?timeout=abc", "has an invalid timeout: it must be a number of seconds"),
    Report(_SOCKET, "@ in a password", "postgresql://u:p@ss@h/db", NO_ADDRESS),
    Report(_SOCKET, "/ in a password", "postgresql://u:p/ss@h/db", NO_ADDRESS),
    Report(_SOCKET, "% in a password", "postgresql://u:p%ss@h/db", NO_ADDRESS),
    Report(_SOCKET, "a space in a password", "postgresql://u:p ss@h/db", NO_ADDRESS),
    Report(_SOCKET, ": before a /", "postgresql://h:p/db", NO_PORT),
    Report(_FAILOVER, "more hosts than ports", "postgresql://a,b,c/d?port=1,2", "has 3 hosts but 2 ports"),
    Report("security review", "a piece of a password", "postgresql://u@h/db?password=p&part=1", NO_ADDRESS),
    Report("security review", "a piece of a user's name", "postgresql://u@h/db?x&part", NO_ADDRESS),
    Report("sqlite", "a mode that would be ignored", "sqlite:///x.db?mode=ro", "needs uri=true, as in sqlite:///file:tasks.db?mode=rw&uri=true"),
    Report("sqlite", "a file in memory", "sqlite:///file:x?mode=memory&uri=true", "must name a file, as in sqlite:///taskservice.db"),
]  # fmt: skip
