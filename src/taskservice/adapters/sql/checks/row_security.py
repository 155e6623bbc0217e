"""Whether row-level security holds the tables: enabled, forced, and by the owner's policy alone."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.statements import execute
from taskservice.adapters.sql.tables import metadata
from taskservice.core.errors import Unavailable, UnusableDatabase

# Whoever changes a table keeps its policies from being read: a look does not wait for long.
_IN_TIME = "SELECT set_config('lock_timeout', %s, true)", ("1000",)

_OWN = "user_id = NULLIF(current_setting('taskservice.owner', true), '')"

# Of each table, whether it is held (NULL: it is not there), and the policies that let this login at
# rows; what is for the table's owner is not. Versions of PostgreSQL need not agree in which
# parentheses and casts they show. A table that was made, or dropped, since the statement began is
# moving: it is known by name or by its policies, and not by both.
_STANDING = """
    SELECT to_regclass(name) IS NOT NULL AND relrowsecurity IS NULL
           OR coalesce(bool_or(is_gone), false),
           name, relrowsecurity AND relforcerowsecurity,
           array_remove(array_agg(CASE WHEN NOT is_own THEN quote_ident(polname) END), NULL),
           coalesce(bool_or(is_own AND polcmd = '*'), false)
      FROM unnest(%s::text[]) name
      LEFT JOIN pg_class ON pg_class.oid = to_regclass(name)
      LEFT JOIN LATERAL (
           SELECT polname, polcmd, (coalesce(shown, taken) = own AND coalesce(taken, shown) = own)
                  IS TRUE AS is_own, coalesce(shown, taken) IS NULL AS is_gone
             FROM pg_policy, LATERAL (
                  SELECT regexp_replace(pg_get_expr(polqual, polrelid), part, '', 'g') AS shown,
                         regexp_replace(pg_get_expr(polwithcheck, polrelid), part, '', 'g')
                             AS taken,
                         regexp_replace(%s, part, '', 'g') AS own
                    FROM (VALUES ('::text|[() ]')) AS spelling(part)) AS words
            WHERE polrelid = pg_class.oid AND polpermissive AND polroles <> ARRAY[relowner]
              AND EXISTS (SELECT FROM unnest(polroles) role
                           WHERE role = 0 OR pg_has_role(session_user, role, 'MEMBER'))
           ) AS policy ON true
     GROUP BY name, relrowsecurity, relforcerowsecurity
     ORDER BY name
"""


class Finding(NamedTuple):
    """What keeps row-level security from holding a table, and the SQL that mends it."""

    reason: str
    remedy: str


def find_gaps(engine: Engine) -> list[Finding]:
    """Return what keeps row-level security from holding the tables as it should (PostgreSQL).

    A policy that only takes away, or that is not for this login, is none.
    Raises `Unavailable`.
    """
    with translate_errors(), engine.connect() as connection:
        standing = _standing(partial(execute, connection, preamble=_IN_TIME))
    return [gap for row in standing for gap in _find_gaps(*row)]


def require_row_security(engine: Engine) -> None:
    """Raise `UnusableDatabase` where row-level security does not hold the tables (PostgreSQL).

    It names each gap. Raises `Unavailable` where none can be looked for.
    """
    if engine.dialect.name == "postgresql":
        _refuse(find_gaps(engine))


def check_row_security(connection: Any) -> None:
    """Raise `UnusableDatabase` for a connection of the driver to tables that are not held.

    A table that is not there is no opening.
    """
    there = [row for row in _standing(partial(_ask, connection)) if row[1] is not None]
    _refuse([gap for row in there for gap in _find_gaps(*row)])


def _ask(connection: Any, sql: str, values: Any) -> Any:
    with connection.pipeline():
        connection.execute(*_IN_TIME)
        return connection.execute(sql, values)


def _standing(ask: Callable[[str, Any], Any]) -> list[tuple[Any, ...]]:
    """Return what stands on each table; once more, where tables were moving meanwhile."""
    for _ in range(2):
        rows = ask(_STANDING, (list(metadata.tables), _OWN)).fetchall()
        if not any(is_moving for is_moving, *_ in rows):
            return [tuple(row) for _, *row in rows]
    raise Unavailable("the tables are being made anew")


def _refuse(found: list[Finding]) -> None:
    if found:
        remedies = "; ".join(gap.remedy for gap in found)
        raise UnusableDatabase(
            "; ".join(gap.reason for gap in found), f"As the tables' owner: {remedies}"
        )


def _find_gaps(table: str, is_held: bool | None, others: list[str], has_own: bool) -> list[Finding]:
    found = [
        Finding(
            f"the policy {other} on {table} lets others than the owner at a row",
            f"DROP POLICY {other} ON {table}, or ALTER POLICY {other} ON {table} TO other roles",
        )
        for other in others
    ]
    if not is_held:
        text = f"the table {table} is not held by row-level security"
        remedy = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        found.insert(0, Finding(text, remedy))
    if not has_own:
        text = f"the table {table} has no policy that lets the owner at a row"
        remedy = f"CREATE POLICY owners ON {table} USING ({_OWN}) WITH CHECK ({_OWN})"
        found.append(Finding(text, remedy))
    return found
