"""What `taskservice check` says of the database: reachable, at its schema, held by its policies."""

from collections.abc import Iterator

from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.connectivity import require_connection
from taskservice.adapters.sql.checks.encoding import require_readable
from taskservice.adapters.sql.checks.inspection import look, missing_grants
from taskservice.adapters.sql.checks.readiness import GRANT, require_fit, require_rows
from taskservice.adapters.sql.checks.roles import require_ordinary_role
from taskservice.adapters.sql.checks.row_security import find_gaps
from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.cli.findings import Finding, clock_finding, fail, ok, warn
from taskservice.config import Settings
from taskservice.core.errors import (
    AccessDenied,
    PrivilegedRole,
    SchemaOutdated,
    StorageFull,
    Unavailable,
    UnusableDatabase,
)
from taskservice.startup import ROLE_ADVICE, parse_database_url

REACH = (
    "is it up, are host and port in DATABASE_URL right, and does a firewall let this machine in?"
)
ENTER = "user, password and database in DATABASE_URL must be those of the role that serves"
FILE = "it must be an SQLite database that this user can read and write, folder included"
ROWS = "no request can read them: mend what the database says, or restore the tables"
SPACE = "its disk is full, or a quota is used up: make room (`df -h` and `df -i` show where)"


def database_findings(settings: Settings) -> Iterator[Finding]:
    """Look at the database; what cannot be known, as something before it fails, is not told."""
    engine = unpooled_engine(parse_database_url(settings.database_url))
    try:
        require_connection(engine)
        require_fit(engine)
        about = look(engine)
    except Unavailable as error:
        yield fail("database", str(error), _advice(engine, error))
        return
    text = f"{about.product} answers in {about.milliseconds:.0f} ms"
    yield ok("database", text)
    try:
        require_readable(engine)
    except UnusableDatabase as error:
        yield fail("database", str(error), error.advice)
    if about.ahead is not None:
        yield clock_finding("the database's", about.ahead)
    yield from _schema_findings(engine, settings, about.role)


def _advice(engine: Engine, error: Unavailable) -> str:
    match error:
        case UnusableDatabase():
            return error.advice
        case StorageFull():
            return SPACE
        case _ if is_sqlite(engine.url):
            return FILE
        case AccessDenied():
            return ENTER
    return REACH


def _schema_findings(engine: Engine, settings: Settings, role: str | None) -> Iterator[Finding]:
    try:
        schema.require_current(engine)
    except SchemaOutdated as error:
        yield fail("schema", str(error), "as the tables' owner, and on the direct host")
        return
    except Unavailable as error:
        yield fail("schema", str(error), GRANT.format(role))
        return
    yield ok("schema", f"at {schema.current(engine)}; this version needs {schema.VERSIONS[-1]}")
    yield _tables_finding(engine)
    if role is None:
        yield ok("role", "SQLite has none: who can write the file can do everything")
    else:
        yield from _role_findings(engine, settings, role)


def _tables_finding(engine: Engine) -> Finding:
    try:
        require_rows(engine)
    except Unavailable as error:
        return fail("tables", str(error), ROWS)
    return ok("tables", "a request can read each of them")


def _role_findings(engine: Engine, settings: Settings, role: str) -> Iterator[Finding]:
    if missing := missing_grants(engine):
        yield fail("role", f"{role} has no {', '.join(missing)}", GRANT.format(role))
    allowed = settings.allow_privileged_role
    unheld = warn if allowed else fail
    for gap in find_gaps(engine):
        yield unheld("role", gap.reason, f"as the tables' owner: {gap.remedy}")
    try:
        require_ordinary_role(engine)
    except PrivilegedRole as error:
        advice = (
            "TASKSERVICE_ALLOW_PRIVILEGED_ROLE is for development only" if allowed else ROLE_ADVICE
        )
        yield unheld("role", str(error), advice)
    else:
        yield ok("role", f"{role} is an ordinary role, which row-level security holds")
