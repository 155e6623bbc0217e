"""What `taskservice check` says of the database: reachable, at its schema, held by its policies."""

from collections.abc import Iterator

from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.connectivity import require_connection
from taskservice.adapters.sql.checks.encoding import require_readable
from taskservice.adapters.sql.checks.inspection import look, missing_grants
from taskservice.adapters.sql.checks.readiness import GRANT, require_fit, require_rows
from taskservice.adapters.sql.checks.roles import require_ordinary_role
from taskservice.adapters.sql.checks.row_security import gaps
from taskservice.adapters.sql.connection.address import is_embedded
from taskservice.adapters.sql.engine import single_engine
from taskservice.cli.findings import Finding, clock_finding, doubtful, fine, wrong
from taskservice.config import Settings
from taskservice.core.errors import (
    AccessRefused,
    PrivilegedRole,
    SchemaBehind,
    StorageFull,
    Unavailable,
    Unfit,
)
from taskservice.startup import ORDINARY, parsed_address

REACH = (
    "is it up, are host and port in DATABASE_URL right, and does a firewall let this machine in?"
)
ENTER = "user, password and database in DATABASE_URL must be those of the role that serves"
FILE = "it must be an SQLite database that this user can read and write, folder included"
ROWS = "no request can read them: mend what the database says, or restore the tables"
SPACE = "its disk is full, or a quota is used up: make room (`df -h` and `df -i` show where)"


def database_findings(settings: Settings) -> Iterator[Finding]:
    """Look at the database; what cannot be known, as something before it fails, is not told."""
    engine = single_engine(parsed_address(settings.database_url))
    try:
        require_connection(engine)
        require_fit(engine)
        about = look(engine)
    except Unavailable as error:
        yield wrong("database", str(error), _advice(engine, error))
        return
    text = f"{about.product} answers in {about.milliseconds:.0f} ms"
    yield fine("database", text)
    try:
        require_readable(engine)
    except Unfit as error:
        yield wrong("database", str(error), error.advice)
    if about.ahead is not None:
        yield clock_finding("the database's", about.ahead)
    yield from _schema_findings(engine, settings, about.role)


def _advice(engine: Engine, error: Unavailable) -> str:
    match error:
        case Unfit():
            return error.advice
        case StorageFull():
            return SPACE
        case _ if is_embedded(engine.url):
            return FILE
        case AccessRefused():
            return ENTER
    return REACH


def _schema_findings(engine: Engine, settings: Settings, role: str | None) -> Iterator[Finding]:
    try:
        schema.require_current(engine)
    except SchemaBehind as error:
        yield wrong("schema", str(error), "as the tables' owner, and on the direct host")
        return
    except Unavailable as error:
        yield wrong("schema", str(error), GRANT.format(role))
        return
    yield fine("schema", f"at {schema.current(engine)}; this version needs {schema.VERSIONS[-1]}")
    yield _tables_finding(engine)
    if role is None:
        yield fine("role", "SQLite has none: who can write the file can do everything")
    else:
        yield from _role_findings(engine, settings, role)


def _tables_finding(engine: Engine) -> Finding:
    try:
        require_rows(engine)
    except Unavailable as error:
        return wrong("tables", str(error), ROWS)
    return fine("tables", "a request can read each of them")


def _role_findings(engine: Engine, settings: Settings, role: str) -> Iterator[Finding]:
    if missing := missing_grants(engine):
        yield wrong("role", f"{role} has no {', '.join(missing)}", GRANT.format(role))
    allowed = settings.allow_privileged_role
    unheld = doubtful if allowed else wrong
    for gap in gaps(engine):
        yield unheld("role", gap.reason, f"as the tables' owner: {gap.remedy}")
    try:
        require_ordinary_role(engine)
    except PrivilegedRole as error:
        advice = (
            "TASKSERVICE_ALLOW_PRIVILEGED_ROLE is for development only" if allowed else ORDINARY
        )
        yield unheld("role", str(error), advice)
    else:
        yield fine("role", f"{role} is an ordinary role, which row-level security holds")
