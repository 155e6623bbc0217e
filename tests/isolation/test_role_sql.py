"""The SQL of `docs/operations.md`, run as it stands there: by a superuser, and as on Neon."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from tests.keyed import add_once
from tests.postgres import PostgresServer
from tests.processes import ROOT, client, gunicorn
from tests.secret_values import SECRET
from tests.system.conftest import command

from taskservice.adapters.sql.checks.roles import require_ordinary_role
from taskservice.adapters.sql.checks.row_security import require_row_security
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import PrivilegedRole
from taskservice.core.task import NewTask
from taskservice.core.task_query import TaskQuery
from taskservice.testing import tasks_of

# What the console of a serverless host makes: no superuser, and yet held by no policy.
NEON = """
    CREATE ROLE neon_superuser CREATEDB CREATEROLE BYPASSRLS;
    GRANT pg_read_all_data, pg_write_all_data TO neon_superuser WITH ADMIN OPTION;
    CREATE ROLE neondb_owner LOGIN CREATEDB CREATEROLE BYPASSRLS IN ROLE neon_superuser;
"""


OPERATIONS = ROOT / "docs" / "operations.md"
RESTORING = ("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner")


class Server(NamedTuple):
    """A server of its own, and who makes the roles there."""

    server: PostgresServer
    maker: str

    def url(self, database: str, user: str) -> str:
        return self.server.url(database, user)


@pytest.fixture(params=["postgres", "neondb_owner"])
def made(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server on which the roles and the database are made as the documentation says."""
    with PostgresServer(durable=False) as server:
        server.execute(NEON)
        made = Server(server, request.param)
        with psycopg.connect(made.url("postgres", request.param), autocommit=True) as connection:
            for statement in documented("CREATE ROLE taskservice_owner"):
                connection.execute(statement.encode())
        yield made


def documented(beginning: str) -> list[str]:
    """Return the statements of the block of SQL that begins so."""
    page = OPERATIONS.read_text()
    blocks = re.findall(r"^ *```sql\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if block.strip().startswith(beginning)]
    return [statement for statement in block.split(";") if statement.strip()]


def test_the_documented_roles_work(made: Server, tmp_path: Path) -> None:
    """The owner migrates and grants, the ordinary role serves, and other roles cannot connect."""
    owner = made.url("taskservice", "taskservice_owner")
    command(tmp_path, "db", "upgrade", DATABASE_URL=owner)
    command(tmp_path, "db", "grant", "taskservice", DATABASE_URL=owner)
    address = made.url("taskservice", "taskservice")
    with gunicorn(tmp_path, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET) as service:
        assert service("GET", "/readyz").status == 200
    made.server.execute("CREATE ROLE stranger LOGIN")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(made.url("taskservice", "stranger"))
    for privileged in {"taskservice_owner", made.maker}:
        with pytest.raises(PrivilegedRole):
            url = database_url(made.url("taskservice", privileged))
            require_ordinary_role(unpooled_engine(url))


def test_the_documented_backup_restores_every_task(made: Server, tmp_path: Path) -> None:
    """The backup role dumps all tasks, the owner restores them, and row-level security is on."""
    owner = made.url("taskservice", "taskservice_owner")
    command(tmp_path, "db", "upgrade", DATABASE_URL=owner)
    command(tmp_path, "db", "grant", "taskservice", DATABASE_URL=owner)
    with service_at(made, "taskservice").open_workspace("ada", atomic=True) as workspace:
        task = add_once(workspace, NewTask(title="A task to be kept"))
    with psycopg.connect(made.url("taskservice", made.maker), autocommit=True) as connection:
        for statement in documented("CREATE ROLE taskservice_backup"):
            connection.execute(statement.encode())
        connection.execute(f"{documented('CREATE DATABASE restored')[0]}".encode())
    backup = made.url("taskservice", "taskservice_backup")
    client(tmp_path, "pg_dump", "--format=custom", "--file=dump", backup)
    address = made.url("restored", "taskservice_owner")
    assert " ".join(RESTORING) in OPERATIONS.read_text()
    client(tmp_path, *RESTORING, f"--dbname={address}", "dump")
    require_row_security(unpooled_engine(database_url(made.url("restored", "taskservice"))))
    with service_at(made, "restored").open_workspace("ada", atomic=True) as workspace:
        assert workspace.tasks.list(TaskQuery()).items == [task]
        assert add_once(workspace, NewTask(title="Another")) == task
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (0,)


def test_the_tables_owner_can_read_one_users_tasks(made: Server, tmp_path: Path) -> None:
    """With the documented statements."""
    owner = made.url("taskservice", "taskservice_owner")
    command(tmp_path, "db", "upgrade", DATABASE_URL=owner)
    with tasks_of(SqlStorage(unpooled_engine(database_url(owner))).open_workspace)("ada") as tasks:
        tasks.add(NewTask(title="A task to be seen"))
    with psycopg.connect(owner, autocommit=True) as connection:
        begin, say, look, commit = documented("BEGIN")
        for statement in (begin, say):
            connection.execute(statement.encode())
        assert len(connection.execute(look.encode()).fetchall()) == 1
        connection.execute(commit.encode())


def service_at(made: Server, database: str) -> SqlStorage:
    """Return the service over a database, as the role that serves."""
    return SqlStorage(unpooled_engine(database_url(made.url(database, "taskservice"))))
