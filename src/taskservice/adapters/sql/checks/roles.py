"""Role check: row-level security must apply to the role that serves."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.tables import metadata
from taskservice.core.errors import PrivilegedRole

# The login and the roles that it can SET ROLE to, if row-level security does not apply to them.
_PRIVILEGED_ROLE = """
    SELECT session_user, rolname,
           CASE WHEN rolsuper THEN 'is a superuser'
                WHEN rolbypassrls THEN 'bypasses row-level security'
                ELSE 'owns the tables' END
      FROM pg_roles
     WHERE pg_has_role(session_user, pg_roles.oid, 'MEMBER')
       AND (rolsuper OR rolbypassrls OR pg_roles.oid IN (
               SELECT relowner FROM pg_class
                WHERE pg_class.oid = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) name)))
     ORDER BY rolname <> session_user
     LIMIT 1
"""


def require_ordinary_role(engine: Engine) -> None:
    """Raise `PrivilegedRole` if row-level security does not apply to the role (PostgreSQL).

    That is a superuser, a role with BYPASSRLS, the tables' owner, or a member of
    such a role. Raise `Unavailable` if the database cannot be reached.
    """
    if engine.dialect.name == "postgresql":
        with translate_errors(), engine.connect() as connection:
            _refuse_privileged_role(connection.exec_driver_sql)


def check_role(connection: Any) -> None:
    """Raise `PrivilegedRole` if a driver connection has a privileged role."""
    _refuse_privileged_role(connection.execute)


def _refuse_privileged_role(execute: Callable[..., Any]) -> None:
    row = execute(_PRIVILEGED_ROLE, (list(metadata.tables),)).fetchone()
    if row is not None:
        login, role, privilege = row
        raise PrivilegedRole(login if login == role else f"{login}, a member of {role}", privilege)
