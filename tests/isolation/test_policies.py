"""The service refuses tables that row-level security does not protect."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import psycopg
import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine, event
from tests.databases import Database, await_lock, migrated_database, service_engine, sqlite_database
from tests.postgres import Databases
from tests.processes import COMMAND, START, gunicorn, run
from tests.secret_values import SECRET

from taskservice.adapters.sql.admin.partition import partition
from taskservice.adapters.sql.checks.row_security import (
    check_row_security,
    find_row_security_issues,
    require_row_security,
)
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import Unavailable, UnusableDatabase
from taskservice.core.task_query import TaskQuery
from taskservice.testing import ADA, tasks_of

OWN = "user_id = NULLIF(current_setting('taskservice.owner', true), '')"
OPEN = "row-level security is not enabled and forced on table {}"
OTHER = "policy {} on table {} exposes rows to users other than their owner"
NO_OWN = "table {} has no policy that gives users access to their own rows"
ENABLE = "ALTER TABLE {} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
DROP = "DROP POLICY {0} ON {1}, or ALTER POLICY {0} ON {1} TO other roles"
MAKE = f"CREATE POLICY owners ON {{}} USING ({OWN}) WITH CHECK ({OWN})"

# A change, and the issues that it causes: reason and remedy.
OPENED = {
    "disabled": (
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
        [(OPEN.format("tasks"), ENABLE.format("tasks"))],
    ),
    "not forced": (
        "ALTER TABLE idempotency_keys NO FORCE ROW LEVEL SECURITY",
        [(OPEN.format("idempotency_keys"), ENABLE.format("idempotency_keys"))],
    ),
    "disabled for lists": (
        "ALTER TABLE lists DISABLE ROW LEVEL SECURITY",
        [(OPEN.format("lists"), ENABLE.format("lists"))],
    ),
    "disabled for numbers": (
        "ALTER TABLE heads DISABLE ROW LEVEL SECURITY",
        [(OPEN.format("heads"), ENABLE.format("heads"))],
    ),
    "disabled for the trash": (
        "ALTER TABLE trash DISABLE ROW LEVEL SECURITY",
        [(OPEN.format("trash"), ENABLE.format("trash"))],
    ),
    "the keeper's policy of the trash for all": (
        "ALTER POLICY maintenance ON trash TO PUBLIC",
        [(OTHER.format("maintenance", "trash"), DROP.format("maintenance", "trash"))],
    ),
    "another policy for the log, to read": (
        "CREATE POLICY more ON changes FOR SELECT USING (true)",
        [(OTHER.format("more", "changes"), DROP.format("more", "changes"))],
    ),
    "the keeper's policy of the log for all": (
        "ALTER POLICY maintenance ON changes TO PUBLIC",
        [(OTHER.format("maintenance", "changes"), DROP.format("maintenance", "changes"))],
    ),
    "another policy for all": (
        'CREATE POLICY "all" ON tasks USING (true)',
        [(OTHER.format('"all"', "tasks"), DROP.format('"all"', "tasks"))],
    ),
    "another policy for the role, to read": (
        "CREATE POLICY more ON idempotency_keys FOR SELECT TO {role} USING (true)",
        [(OTHER.format("more", "idempotency_keys"), DROP.format("more", "idempotency_keys"))],
    ),
    "another policy for a role that the role is a member of": (
        "CREATE POLICY more ON tasks TO {group} USING (true)",
        [(OTHER.format("more", "tasks"), DROP.format("more", "tasks"))],
    ),
    "another policy, to insert": (
        "CREATE POLICY more ON tasks FOR INSERT WITH CHECK (true)",
        [(OTHER.format("more", "tasks"), DROP.format("more", "tasks"))],
    ),
    "another policy that takes more than it shows": (
        f"CREATE POLICY more ON tasks USING ({OWN}) WITH CHECK (true)",
        [(OTHER.format("more", "tasks"), DROP.format("more", "tasks"))],
    ),
    "another policy that shows more than it takes": (
        f"CREATE POLICY more ON tasks USING (true) WITH CHECK ({OWN})",
        [(OTHER.format("more", "tasks"), DROP.format("more", "tasks"))],
    ),
    "another policy by another setting": (
        "CREATE POLICY more ON tasks USING (user_id = current_setting('taskservice.owner'))",
        [(OTHER.format("more", "tasks"), DROP.format("more", "tasks"))],
    ),
    "the keeper's policy for all": (
        "ALTER POLICY maintenance ON idempotency_keys TO PUBLIC",
        [
            (
                OTHER.format("maintenance", "idempotency_keys"),
                DROP.format("maintenance", "idempotency_keys"),
            )
        ],
    ),
    "the owner's policy is another": (
        "ALTER POLICY owners ON tasks USING (true)",
        [
            (OTHER.format("owners", "tasks"), DROP.format("owners", "tasks")),
            (NO_OWN.format("tasks"), MAKE.format("tasks")),
        ],
    ),
    "no policy": ("DROP POLICY owners ON tasks", [(NO_OWN.format("tasks"), MAKE.format("tasks"))]),
    "the owner's policy is to read": (
        f"DROP POLICY owners ON tasks; CREATE POLICY owners ON tasks FOR SELECT USING ({OWN})",
        [(NO_OWN.format("tasks"), MAKE.format("tasks"))],
    ),
    "no table": (
        "ALTER TABLE idempotency_keys RENAME TO kept",
        [
            (OPEN.format("idempotency_keys"), ENABLE.format("idempotency_keys")),
            (NO_OWN.format("idempotency_keys"), MAKE.format("idempotency_keys")),
        ],
    ),
}

# Policies that are accepted beside those of the migrations.
HARMLESS = {
    "nothing": "SELECT 1",
    "a policy for the tables' owner": "CREATE POLICY more ON tasks TO {owner} USING (true)",
    "a policy for another role": "CREATE POLICY more ON tasks TO {other} USING (true)",
    "a policy that takes away": "CREATE POLICY less ON tasks AS RESTRICTIVE USING (version < 9)",
    "our policy once more": f"CREATE POLICY more ON tasks USING ({OWN})",
    "our policy, to insert": f"CREATE POLICY more ON tasks FOR INSERT WITH CHECK ({OWN})",
}


@pytest.fixture(scope="module", params=["whole", "partitioned"])
def own(request: pytest.FixtureRequest, postgresql: Databases) -> Iterator[Database]:
    """A database of its own, and two groups: the role that serves is a member of one."""
    with migrated_database(postgresql) as database:
        if request.param == "partitioned":
            partition(database.owner_engine)
        postgresql.execute(
            f"CREATE ROLE some_group ROLE {database.role}; CREATE ROLE another_group"
        )
        yield database
        with psycopg.connect(database.superuser, autocommit=True) as superuser:
            superuser.execute("DROP ROLE some_group, another_group")


@pytest.fixture
def changed(own: Database, postgresql: Databases) -> Iterator[Database]:
    """A copy that a test may change, with the roles of the first."""
    address = postgresql.create_database(own.superuser)
    name = address.rpartition("/")[2].partition("?")[0]
    keeper = own.role.replace("_service", "_owner")
    yield Database(address, postgresql.url(name, keeper), postgresql.url(name, own.role), own.role)
    postgresql.drop_database(address)


def change(database: Database, statement: str) -> Engine:
    """Change the database as a superuser may; return an engine of the role that serves."""
    names = {
        "role": database.role,
        "owner": database.role.replace("_service", "_owner"),
        "group": "some_group",
        "other": "another_group",
    }
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(statement.format(**names).encode())
    return unpooled_engine(database_url(database.service))


@pytest.mark.parametrize("case", OPENED)
def test_every_exposure_of_a_table_is_detected(changed: Database, case: str) -> None:
    """With its reason and the SQL that repairs it; the service does not start."""
    statement, expected = OPENED[case]
    engine = change(changed, statement)
    assert find_row_security_issues(engine) == expected
    with pytest.raises(UnusableDatabase) as caught:
        require_row_security(engine)
    assert str(caught.value) == "; ".join(reason for reason, _ in expected)
    remedies = "; ".join(remedy for _, remedy in expected)
    assert caught.value.advice == f"As the tables' owner: {remedies}"


@pytest.mark.parametrize("case", [case for case in OPENED if case != "no table"])
def test_an_exposed_table_is_refused_by_the_next_connection(changed: Database, case: str) -> None:
    """Also if the database was unavailable when the service started."""
    engine = service_engine(changed.service)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.list(TaskQuery())
        statement, expected = OPENED[case]
        change(changed, statement)
        engine.dispose()
        with pytest.raises(UnusableDatabase) as caught:
            tasks.list(TaskQuery())
    assert str(caught.value) == "; ".join(reason for reason, _ in expected)


def test_a_missing_table_is_not_an_issue_for_a_connection(changed: Database) -> None:
    """The schema check reports it."""
    engine = change(changed, OPENED["no table"][0])
    with engine.connect() as connection:
        check_row_security(connection.connection.driver_connection)


def check_by_connecting(database: Database) -> None:
    """Check as the service does on each connection."""
    engine = service_engine(database.service)
    with translate_errors(), engine.connect():
        pass
    engine.dispose()


def check_at_the_start(database: Database) -> None:
    """Check as the service does at its start."""
    require_row_security(unpooled_engine(database_url(database.service)))


CHECKS = [check_by_connecting, check_at_the_start]


@pytest.mark.parametrize("check", CHECKS)
def test_a_locked_table_does_not_block_the_check(
    changed: Database, check: Callable[[Database], None]
) -> None:
    """After a second it is an outage, and no issue."""
    with psycopg.connect(changed.superuser) as holder:
        holder.execute("LOCK TABLE idempotency_keys")
        with pytest.raises(Unavailable, match="lock timeout"):
            check(changed)
    check(changed)


def test_the_check_sets_its_lock_timeout_behind_a_pooler(changed: Database) -> None:
    """In the same round trip, as nothing else is set on such a connection."""
    with psycopg.connect(changed.superuser) as holder:
        holder.execute("LOCK TABLE idempotency_keys")
        with (
            psycopg.connect(changed.service, autocommit=True) as connection,
            pytest.raises(LockNotAvailable),
        ):
            connection.execute("SET statement_timeout = '20s'")
            check_row_security(connection)


def test_tables_that_are_recreated_twice_are_an_outage() -> None:
    """The check reads the policies twice at most."""
    connection = MagicMock()
    moving = (True, "tasks", None, (), False)
    connection.execute.return_value.fetchall.side_effect = [[moving], [moving], []]
    with pytest.raises(Unavailable, match="being recreated"):
        check_row_security(connection)


@pytest.mark.parametrize("check", CHECKS)
def test_tables_that_are_recreated_meanwhile_are_read_again(
    postgresql: Databases, check: Callable[[Database], None]
) -> None:
    """The check waited for `db partition`, and the tables that it began with are gone."""
    with migrated_database(postgresql) as database, ThreadPoolExecutor(1) as pool:
        engine, looks = database.owner_engine, list[Future[None]]()

        def begin(*args: Any) -> None:
            if args[2] == "ANALYZE tasks":
                looks.append(pool.submit(check, database))
                await_lock(database.superuser_engine)

        event.listen(engine, "before_cursor_execute", begin)
        partition(engine)
        assert [one.result() for one in looks] == [None]


@pytest.mark.parametrize("case", ["not forced", "the owner's policy is another", "no policy"])
def test_the_remedy_repairs_the_table(changed: Database, case: str) -> None:
    """The tables' owner can run the SQL, and then no issue is found."""
    statement, _ = OPENED[case]
    engine = change(changed, statement)
    with psycopg.connect(changed.owner, autocommit=True) as owner:
        for issue in find_row_security_issues(engine):
            owner.execute(issue.remedy.partition(", or ")[0].encode())
    assert find_row_security_issues(engine) == []


@pytest.mark.parametrize("case", HARMLESS)
def test_harmless_policies_are_accepted(changed: Database, case: str) -> None:
    """Restrictive ones, and those for other roles."""
    require_row_security(change(changed, HARMLESS[case]))


def test_the_maintenance_policy_is_not_an_issue_for_a_superuser(changed: Database) -> None:
    """A superuser is a member of every role."""
    assert find_row_security_issues(changed.superuser_engine) == []


def test_all_issues_are_reported_together(changed: Database) -> None:
    """Ordered by table name."""
    opened = (OPENED[case] for case in ("not forced", "another policy for all", "disabled"))
    statements, expected = zip(*opened, strict=True)
    reasons, remedies = zip(*(expected[place][0] for place in (0, 2, 1)), strict=True)
    with pytest.raises(UnusableDatabase) as caught:
        require_row_security(change(changed, "; ".join(statements)))
    assert str(caught.value) == "; ".join(reasons)
    assert caught.value.advice == f"As the tables' owner: {'; '.join(remedies)}"


def test_an_unreachable_server_is_an_outage(tmp_path: Path) -> None:
    """And on SQLite there are no policies to check."""
    with pytest.raises(Unavailable):
        require_row_security(unpooled_engine(database_url("postgresql://nobody@127.0.0.1:1/tasks")))
    require_row_security(unpooled_engine(database_url(sqlite_database(tmp_path))))


def test_gunicorn_does_not_start_with_an_exposed_table(changed: Database, tmp_path: Path) -> None:
    """Exit status 2, with advice; `check` fails, or warns if privileged roles are allowed."""
    statement, [(reason, remedy)] = OPENED["another policy for all"]
    change(changed, statement)
    settings = {"DATABASE_URL": changed.service, "TASKSERVICE_JWT_SECRET": SECRET}
    allowed = {**settings, "TASKSERVICE_ALLOW_PRIVILEGED_ROLE": "true"}
    result = run(START, tmp_path, **settings)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        2,
        f"taskservice: DATABASE_URL cannot be used: {reason}. As the tables' owner: {remedy}",
    )
    for state, status, given in (("FAIL", 2, settings), ("warn", 0, allowed)):
        checked = run([*COMMAND, "check"], tmp_path, **given)
        printed = " ".join(checked.stdout.split())
        assert f"{state} role {reason} as the tables' owner: {remedy}" in printed
        assert checked.returncode == status
    with gunicorn(tmp_path, **allowed) as service:
        assert service("GET", "/readyz").status == 200
