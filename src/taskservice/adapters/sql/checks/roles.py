"""Which role may serve: an ordinary one, over which row-level security holds."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.tables import metadata
from taskservice.core.errors import PrivilegedRole

# Every role that this login is, or can become by SET ROLE, and that no policy holds.
_POWERS = """
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
    """Raise `PrivilegedRole` where row-level security would not hold (PostgreSQL).

    That is a superuser, a role with BYPASSRLS, the owner of the tables, and
    whoever is a member of such. Raises `Unavailable` where none can be asked.
    """
    if engine.dialect.name == "postgresql":
        with translate_errors(), engine.connect() as connection:
            _refuse_power(connection.exec_driver_sql)


def check_role(connection: Any) -> None:
    """Raise `PrivilegedRole` for a connection of the driver that is a privileged role's."""
    _refuse_power(connection.execute)


def _refuse_power(execute: Callable[..., Any]) -> None:
    found = execute(_POWERS, (list(metadata.tables),)).fetchone()
    if found is not None:
        login, role, power = found
        raise PrivilegedRole(login if login == role else f"{login}, a member of {role}", power)
