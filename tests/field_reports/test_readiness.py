"""Readiness looks at what a request needs: tables, privileges, policies, and the file itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.databases import Database, migrated_database, service_engine, sqlite_database
from tests.field_reports.report import Report
from tests.postgres import Databases
from tests.processes import ROOT
from tests.secret_values import SECRET

from taskservice.adapters.sql.checks import readiness
from taskservice.adapters.sql.checks.readiness import require_ready
from taskservice.adapters.sql.schema import require_reachable
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.cli.check_database import database_findings
from taskservice.config import ConfigError, Settings
from taskservice.core.errors import Unavailable
from taskservice.core.task import NewTask
from taskservice.startup_checks import is_database_usable
from taskservice.testing import tasks_of

_PREFECT = "prefect#6050"

UNUSABLE: list[Report[str, str]] = [
    Report(_PREFECT, "row_security off", "ALTER ROLE {role} SET row_security = off", "query would be affected by row-level security policy"),
    Report(_PREFECT, "no right to insert", "REVOKE INSERT ON tasks FROM {role}", "the role has no INSERT on tasks: run `taskservice db grant"),
    Report(_PREFECT, "no right to read keys", "REVOKE SELECT ON idempotency_keys FROM {role}", "permission denied for table idempotency_keys"),
    Report(_PREFECT, "a column that is gone", "ALTER TABLE tasks DROP COLUMN search_text", "column tasks.search_text does not exist"),
    Report(_PREFECT, "a policy that is gone", "DROP POLICY owners ON tasks", "table tasks has no policy"),
    Report(_PREFECT, "policies that are off", "ALTER TABLE idempotency_keys DISABLE ROW LEVEL SECURITY", "row-level security is not enabled and forced on table idempotency_keys"),
]  # fmt: skip


@pytest.fixture
def database(postgresql: Databases) -> Iterator[Database]:
    with migrated_database(postgresql) as database:
        yield database


def execute(database: Database, statement: str) -> None:
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(statement.format(role=database.role).encode())


@pytest.mark.parametrize("report", UNUSABLE, ids=str)
def test_what_a_request_would_miss_is_found(database: Database, report: Report[str, str]) -> None:
    """By the readiness and by the start; both name it."""
    execute(database, report.tried)
    settings = Settings(database_url=database.service, jwt_secret=SECRET)
    engine = service_engine(database.service)
    with pytest.raises(Unavailable, match=report.right):
        require_ready(engine, allow_privileged_role=False)
    engine.dispose()
    with pytest.raises(ConfigError, match=report.right):
        is_database_usable(settings)


def test_a_database_that_takes_no_write_is_ready(database: Database) -> None:
    """Reads go on, as on a standby."""
    execute(database, "ALTER ROLE {role} SET default_transaction_read_only = on")
    engine = service_engine(database.service)
    require_ready(engine, allow_privileged_role=False)
    engine.dispose()


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_a_file_that_is_gone_is_not_written_to(tmp_path: Path, change: str) -> None:
    """Nothing is acknowledged that is lost with the process; nothing is made in its place."""
    engine = service_engine(sqlite_database(tmp_path))
    with tasks_of(SqlStorage(engine).open_workspace)("ada") as tasks:
        tasks.add(NewTask(title="Buy milk"))
        kept = (tmp_path / "tasks.db").rename(tmp_path / "kept.db")
        if change == "replaced":
            (tmp_path / "tasks.db").write_bytes(kept.read_bytes())
        for look in (
            lambda: tasks.add(NewTask(title="Buy milk")),
            lambda: require_reachable(engine),
        ):
            with pytest.raises(Unavailable, match="the database file was removed or replaced"):
                look()
        assert (tmp_path / "tasks.db").exists() == (change == "replaced")
        kept.rename(tmp_path / "tasks.db")
        tasks.add(NewTask(title="Buy milk"))
    engine.dispose()


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("sqlite", r"SQLite 3\.\d+ is not supported. Upgrade to SQLite 99 or newer"),
        ("postgresql", r"PostgreSQL \d+ is not supported. Upgrade to PostgreSQL 99 or newer"),
    ],
)
def test_too_old_a_database_is_refused(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, message: str
) -> None:
    """maubot/rss#31, synapse#17577: it is named, with the version that is needed."""
    address = database.service if engine == "postgresql" else sqlite_database(tmp_path)
    monkeypatch.setattr(readiness, "MINIMUM_SQLITE", (99,))
    monkeypatch.setattr(readiness, "MINIMUM_POSTGRESQL", 99)
    settings = Settings(database_url=address, jwt_secret=SECRET)
    with pytest.raises(ConfigError, match=f"DATABASE_URL cannot be used: {message}"):
        is_database_usable(settings)
    (finding,) = database_findings(settings)
    assert finding.is_failure
    assert re.match(message, f"{finding.text}. {finding.advice}")


def test_the_least_versions_stand_in_the_readme() -> None:
    """As the start tests them."""
    sqlite = ".".join(map(str, readiness.MINIMUM_SQLITE))
    readme = (ROOT / "README.md").read_text()
    assert f"SQLite {sqlite}" in readme
    assert f"PostgreSQL {readiness.MINIMUM_POSTGRESQL}" in readme
