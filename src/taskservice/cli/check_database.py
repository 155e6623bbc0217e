"""Database checks of `taskservice check`: connection, schema, tables, role, row-level security."""

from collections.abc import Iterator

from sqlalchemy import Engine

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.change_log import sample_change_log
from taskservice.adapters.sql.checks.connectivity import require_connection
from taskservice.adapters.sql.checks.database_info import inspect_database, missing_privileges
from taskservice.adapters.sql.checks.encoding import require_encoding
from taskservice.adapters.sql.checks.readiness import (
    GRANT_ADVICE,
    require_readable_tables,
    require_supported_database,
)
from taskservice.adapters.sql.checks.roles import require_ordinary_role
from taskservice.adapters.sql.checks.row_security import find_row_security_issues
from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.cli.check_findings import Finding, clock_finding, fail, ok, warn
from taskservice.cli.progress import plural
from taskservice.config import Settings
from taskservice.core.errors import (
    AccessDenied,
    PrivilegedRole,
    SchemaOutdated,
    StorageFull,
    Unavailable,
    UnusableDatabase,
)
from taskservice.core.zones import ZONE_DATA_VERSION
from taskservice.startup_checks import ROLE_ADVICE, parse_database_url

UNREACHABLE_ADVICE = (
    "check that it runs, that DATABASE_URL has the right host and port, and the firewall"
)
ACCESS_DENIED_ADVICE = "check user, password and database in DATABASE_URL"
FILE_ADVICE = "it must be an SQLite database, and this user must have write access to its folder"
TABLES_ADVICE = "requests cannot read them: repair the reported error, or restore the tables"
STORAGE_FULL_ADVICE = "its disk or quota is full: free some space (see `df -h` and `df -i`)"


def database_findings(settings: Settings) -> Iterator[Finding]:
    """Yield the findings about the database, up to the first failure that hides the others."""
    engine = unpooled_engine(parse_database_url(settings.database_url))
    try:
        require_connection(engine)
        require_supported_database(engine)
        info = inspect_database(engine)
    except Unavailable as error:
        yield fail("database", str(error), _advice(engine, error))
        return
    yield ok("database", f"{info.product} responds in {info.milliseconds:.0f} ms")
    try:
        require_encoding(engine)
    except UnusableDatabase as error:
        yield fail("database", str(error), error.advice)
    if info.clock_offset is not None:
        yield clock_finding("the database's", info.clock_offset)
    yield from _schema_findings(engine, settings, info.role)


def _advice(engine: Engine, error: Unavailable) -> str:
    match error:
        case UnusableDatabase():
            return error.advice
        case StorageFull():
            return STORAGE_FULL_ADVICE
        case _ if is_sqlite(engine.url):
            return FILE_ADVICE
        case AccessDenied():
            return ACCESS_DENIED_ADVICE
    return UNREACHABLE_ADVICE


def _schema_findings(engine: Engine, settings: Settings, role: str | None) -> Iterator[Finding]:
    try:
        schema.require_current(engine)
    except SchemaOutdated as error:
        yield fail("schema", str(error), "as the tables' owner, and not through a pooler")
        return
    except Unavailable as error:
        yield fail("schema", str(error), GRANT_ADVICE.format(role))
        return
    yield ok(
        "schema", f"at version {schema.current(engine)}; taskservice needs {schema.VERSIONS[-1]}"
    )
    yield _tables_finding(engine)
    yield _zone_finding(engine)
    yield _log_finding(engine)
    if role is None:
        yield ok("role", "SQLite has no roles: protect the file with its permissions")
    else:
        yield from _role_findings(engine, settings, role)


def _tables_finding(engine: Engine) -> Finding:
    try:
        require_readable_tables(engine)
    except Unavailable as error:
        return fail("tables", str(error), TABLES_ADVICE)
    return ok("tables", "requests can read each of them")


def _zone_finding(engine: Engine) -> Finding:
    try:
        version = schema.zone_data_version(engine)
    except Unavailable as error:
        return fail("zones", str(error), TABLES_ADVICE)
    if version != ZONE_DATA_VERSION:
        text = f"tasks are due by the zone data {version}, this version has {ZONE_DATA_VERSION}"
        return warn("zones", text, "as the tables' owner, run `taskservice db rezone`")
    return ok("zones", f"tasks are due by the zone data {version}")


def _log_finding(engine: Engine) -> Finding:
    try:
        sample = sample_change_log(engine)
    except Unavailable as error:
        return fail("changes", str(error), TABLES_ADVICE)
    if sample.with_gaps:
        text = f"the changes of {', '.join(sample.with_gaps[:3])} have gaps: clients may miss some"
        return fail("changes", text, "as the tables' owner, run `taskservice db forget-changes`")
    return ok("changes", f"no gaps in the numbers of {plural(sample.users, 'user')} in a sample")


def _role_findings(engine: Engine, settings: Settings, role: str) -> Iterator[Finding]:
    if missing := missing_privileges(engine):
        yield fail("role", f"{role} has no {', '.join(missing)}", GRANT_ADVICE.format(role))
    allowed = settings.allow_privileged_role
    severity = warn if allowed else fail
    for issue in find_row_security_issues(engine):
        yield severity("role", issue.reason, f"as the tables' owner: {issue.remedy}")
    try:
        require_ordinary_role(engine)
    except PrivilegedRole as error:
        advice = (
            "TASKSERVICE_ALLOW_PRIVILEGED_ROLE is for development only" if allowed else ROLE_ADVICE
        )
        yield severity("role", str(error), advice)
    else:
        yield ok("role", f"{role} is an ordinary role, to which row-level security applies")
