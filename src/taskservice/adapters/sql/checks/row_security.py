"""Row-level security check: enabled, forced, and only with the policy of the rows' owner."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.compiled_statements import execute
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.tables import metadata
from taskservice.core.errors import Unavailable, UnusableDatabase

# ALTER TABLE locks out reads of the policies, so the check must not wait for long.
_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, true)", ("1000",)

_OWNER_CONDITION = "user_id = NULLIF(current_setting('taskservice.owner', true), '')"

# One row per table: whether it is changing, its name, whether row-level security is forced (NULL if
# there is no table), permissive policies for this login other than the owner's, and whether the
# owner's exists. Policies for the table's owner alone are left out. Expressions are compared
# without parentheses and casts, in which versions of PostgreSQL differ. A table is changing if it
# was created or dropped since the statement began: it is visible by name or by its policies, and
# not by both.
_POLICIES = """
    SELECT to_regclass(name) IS NOT NULL AND relrowsecurity IS NULL
           OR coalesce(bool_or(is_dropped), false),
           name, relrowsecurity AND relforcerowsecurity,
           array_remove(array_agg(CASE WHEN NOT is_own THEN quote_ident(polname) END), NULL),
           coalesce(bool_or(is_own AND polcmd = '*'), false)
      FROM unnest(%s::text[]) name
      LEFT JOIN pg_class ON pg_class.oid = to_regclass(name)
      LEFT JOIN LATERAL (
           SELECT polname, polcmd, (coalesce(using_expr, check_expr) = own
                                    AND coalesce(check_expr, using_expr) = own) IS TRUE AS is_own,
                  coalesce(using_expr, check_expr) IS NULL AS is_dropped
             FROM pg_policy, LATERAL (
                  SELECT regexp_replace(pg_get_expr(polqual, polrelid), part, '', 'g')
                             AS using_expr,
                         regexp_replace(pg_get_expr(polwithcheck, polrelid), part, '', 'g')
                             AS check_expr,
                         regexp_replace(%s, part, '', 'g') AS own
                    FROM (VALUES ('::text|[() ]')) AS spelling(part)) AS expressions
            WHERE polrelid = pg_class.oid AND polpermissive AND polroles <> ARRAY[relowner]
              AND EXISTS (SELECT FROM unnest(polroles) role
                           WHERE role = 0 OR pg_has_role(session_user, role, 'MEMBER'))
           ) AS policy ON true
     GROUP BY name, relrowsecurity, relforcerowsecurity
     ORDER BY name
"""


class RowSecurityIssue(NamedTuple):
    """A reason why row-level security does not protect a table, and the SQL that repairs it."""

    reason: str
    remedy: str


def find_row_security_issues(engine: Engine) -> list[RowSecurityIssue]:
    """Return the reasons why row-level security does not protect the tables (PostgreSQL).

    Restrictive policies, and policies for other roles, are no issue. Raise
    `Unavailable`.
    """
    with translate_errors(), engine.connect() as connection:
        tables = _read_policies(partial(execute, connection, preamble=_LOCK_TIMEOUT))
    return [issue for table in tables for issue in _table_issues(*table)]


def require_row_security(engine: Engine) -> None:
    """Raise `UnusableDatabase`, with each issue, if row-level security does not protect the tables.

    Do nothing on SQLite. Raise `Unavailable` if the policies cannot be read.
    """
    if engine.dialect.name == "postgresql":
        _refuse(find_row_security_issues(engine))


def check_row_security(connection: Any) -> None:
    """Raise `UnusableDatabase` for a driver connection if a table is not protected.

    Ignore missing tables.
    """
    tables = [row for row in _read_policies(partial(_execute, connection)) if row[1] is not None]
    _refuse([issue for table in tables for issue in _table_issues(*table)])


def _execute(connection: Any, sql: str, values: Any) -> Any:
    with connection.pipeline():
        connection.execute(*_LOCK_TIMEOUT)
        return connection.execute(sql, values)


def _read_policies(execute_query: Callable[[str, Any], Any]) -> list[tuple[Any, ...]]:
    """Return the row of `_POLICIES` for each table; read again if tables changed meanwhile."""
    for _ in range(2):
        rows = execute_query(_POLICIES, (list(metadata.tables), _OWNER_CONDITION)).fetchall()
        if not any(is_changing for is_changing, *_ in rows):
            return [tuple(row) for _, *row in rows]
    raise Unavailable("the tables are being recreated")


def _refuse(issues: list[RowSecurityIssue]) -> None:
    if issues:
        remedies = "; ".join(issue.remedy for issue in issues)
        raise UnusableDatabase(
            "; ".join(issue.reason for issue in issues), f"As the tables' owner: {remedies}"
        )


def _table_issues(
    table: str, is_forced: bool | None, other_policies: list[str], has_owner_policy: bool
) -> list[RowSecurityIssue]:
    issues = [
        RowSecurityIssue(
            f"policy {policy} on table {table} exposes rows to users other than their owner",
            f"DROP POLICY {policy} ON {table}, or ALTER POLICY {policy} ON {table} TO other roles",
        )
        for policy in other_policies
    ]
    if not is_forced:
        reason = f"row-level security is not enabled and forced on table {table}"
        remedy = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        issues.insert(0, RowSecurityIssue(reason, remedy))
    if not has_owner_policy:
        reason = f"table {table} has no policy that gives users access to their own rows"
        remedy = (
            f"CREATE POLICY owners ON {table} USING ({_OWNER_CONDITION}) "
            f"WITH CHECK ({_OWNER_CONDITION})"
        )
        issues.append(RowSecurityIssue(reason, remedy))
    return issues
