"""The service refuses roles to which row-level security does not apply."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import event
from tests.databases import Database, service_engine
from tests.postgres import Databases
from tests.processes import COMMAND, START, gunicorn, run
from tests.secret_values import SECRET

from taskservice.adapters.sql import engine as engines
from taskservice.adapters.sql.checks.roles import require_ordinary_role
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import PrivilegedRole, Unavailable, UnusableDatabase
from taskservice.core.task import NewTask
from taskservice.core.task_query import TaskQuery
from taskservice.testing import ADA, tasks_of

LOGIN, GROUP = "odd_login", "odd_group"

PRIVILEGED = {
    "a superuser": ("ALTER ROLE {login} SUPERUSER", "odd_login, which is a superuser"),
    "a role with BYPASSRLS": (
        "ALTER ROLE {login} BYPASSRLS",
        "odd_login, which bypasses row-level security",
    ),
    "a member of a superuser": (
        "ALTER ROLE {group} SUPERUSER",
        "odd_login, a member of odd_group, which is a superuser",
    ),
    "a member of a role with BYPASSRLS, as on Neon": (
        "ALTER ROLE {group} BYPASSRLS",
        "odd_login, a member of odd_group, which bypasses row-level security",
    ),
    "a member that does not inherit": (
        "ALTER ROLE {login} NOINHERIT; ALTER ROLE {group} BYPASSRLS",
        "odd_login, a member of odd_group, which bypasses row-level security",
    ),
    "a member of the tables' owner": (
        "GRANT {owner} TO {login}",
        "odd_login, a member of {owner}, which owns the tables",
    ),
    "a member of a member of the tables' owner": (
        "GRANT {owner} TO {group}",
        "odd_login, a member of {owner}, which owns the tables",
    ),
}
DENIED = "row-level security does not apply"


@pytest.fixture
def odd(database: Database, postgresql: Databases) -> Iterator[str]:
    """The address of a role that may serve, and is a member of an ordinary group."""
    postgresql.execute(f"CREATE ROLE {LOGIN} LOGIN IN ROLE {database.role}")
    postgresql.execute(f"CREATE ROLE {GROUP} ROLE {LOGIN}")
    yield database.service.replace(f"//{database.role}:", f"//{LOGIN}:")
    for role in (LOGIN, GROUP):
        postgresql.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("case", PRIVILEGED)
def test_a_privileged_role_is_refused(
    database: Database, postgresql: Databases, odd: str, case: str
) -> None:
    """At the start and on every later connection, with the reason; no row is read."""
    power, reason = PRIVILEGED[case]
    keeper = database.role.replace("_service", "_owner")
    postgresql.execute(power.format(login=LOGIN, group=GROUP, owner=keeper))
    expected = f"the database role is {reason.format(owner=keeper)}: {DENIED}"
    with pytest.raises(PrivilegedRole) as caught:
        require_ordinary_role(unpooled_engine(database_url(odd)))
    assert str(caught.value) == expected
    engine = service_engine(odd)
    with pytest.raises(PrivilegedRole), tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.list(TaskQuery())
    await_no_connection(postgresql, LOGIN)


def await_no_connection(postgresql: Databases, role: str) -> None:
    """Return when the server has no connection of `role` any more."""
    deadline = monotonic() + 30
    with psycopg.connect(postgresql.url(), autocommit=True) as superuser:
        while superuser.execute(
            "SELECT FROM pg_stat_activity WHERE usename = %s", (role,)
        ).fetchone():
            assert monotonic() < deadline, "a refused connection was left open"
            sleep(0.02)


def test_an_unreachable_server_is_an_outage(tmp_path: Path) -> None:
    """And SQLite has no roles to refuse."""
    with pytest.raises(Unavailable):
        require_ordinary_role(
            unpooled_engine(database_url("postgresql://nobody@127.0.0.1:1/tasks"))
        )
    require_ordinary_role(unpooled_engine(database_url(f"sqlite:///{tmp_path}/tasks.db")))


def test_the_tables_owner_is_refused(database: Database) -> None:
    """It could disable row-level security."""
    with pytest.raises(PrivilegedRole, match=r"_owner, which owns the tables: "):
        require_ordinary_role(database.owner_engine)


def test_an_ordinary_role_serves(odd: str) -> None:
    """Membership in ordinary roles is accepted."""
    require_ordinary_role(unpooled_engine(database_url(odd)))
    engine = service_engine(odd)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        assert tasks.get(tasks.add(NewTask(title="Buy milk")).id).title == "Buy milk"
    engine.dispose()


def test_a_role_that_becomes_privileged_is_refused_by_the_next_connection(
    postgresql: Databases, odd: str
) -> None:
    """Every new connection checks the role."""
    engine = service_engine(odd)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.list(TaskQuery())
        postgresql.execute(f"ALTER ROLE {LOGIN} BYPASSRLS")
        engine.dispose()
        with pytest.raises(PrivilegedRole):
            tasks.list(TaskQuery())


def test_gunicorn_does_not_start_as_a_privileged_role(database: Database, tmp_path: Path) -> None:
    """Exit status 2, with one message that says what to do."""
    result = run(START, tmp_path, DATABASE_URL=database.superuser, TASKSERVICE_JWT_SECRET=SECRET)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        "taskservice: DATABASE_URL cannot be used: the database role is "
        f"{urlsplit(database.superuser).username}, which "
        "is a superuser: row-level security does not apply. Serve as an ordinary role "
        "(`taskservice db grant ROLE`); for development only, set "
        "TASKSERVICE_ALLOW_PRIVILEGED_ROLE=true"
    )


def test_gunicorn_does_not_start_if_access_is_denied(database: Database, tmp_path: Path) -> None:
    """Exit status 2, with the database's error."""
    address = database.service.replace(f"//{database.role}:", "//no_such_role:")
    result = run(START, tmp_path, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        "taskservice: DATABASE_URL: access denied: database error: "
        'FATAL:  role "no_such_role" does not exist'
    )


def test_serve_does_not_start_as_the_role_that_migrates(database: Database, tmp_path: Path) -> None:
    """`taskservice serve` has one role for both, which must be allowed on PostgreSQL."""
    arguments = [*COMMAND, "serve", "--port", "0", "--database", database.owner]
    result = run(arguments, tmp_path, TASKSERVICE_JWT_SECRET=SECRET)
    assert result.returncode == 2
    assert "which owns the tables: row-level security does not apply" in result.stderr


def test_a_privileged_role_may_be_allowed(database: Database, tmp_path: Path) -> None:
    """For development: the service starts and is ready."""
    settings = {
        "DATABASE_URL": database.superuser,
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_ALLOW_PRIVILEGED_ROLE": "true",
    }
    with gunicorn(tmp_path, **settings) as service:
        assert service("GET", "/readyz").status == 200


@pytest.mark.parametrize(
    "reason",
    [
        PrivilegedRole("ada", "is a superuser"),
        UnusableDatabase("open", "mend it"),
        KeyboardInterrupt(),
    ],
)
@pytest.mark.parametrize(
    "look", ["configure_session", "check_encoding", "check_role", "check_row_security"]
)
def test_a_refused_connection_is_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch, look: str, reason: BaseException
) -> None:
    """At once, so that it does not occupy one of the server's connections."""
    made: list[Any] = []
    monkeypatch.setattr(engines, look, Mock(side_effect=reason))
    engine = service_engine(database.service)
    event.listen(engine, "connect", lambda driver, _: made.append(driver), insert=True)
    with pytest.raises(type(reason)):
        engine.connect()
    assert [driver.closed for driver in made] == [True]
