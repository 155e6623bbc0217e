"""An update of the zone data: the case 10, `taskservice db rezone` and the warning of `check`."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, text
from tests.databases import migrated_database, service_engine, sqlite_database
from tests.http_callers import ApiClient, application
from tests.planning.questions import changed, found
from tests.postgres import Databases
from tests.processes import COMMAND, run, running
from tests.secret_values import SECRET

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.admin.rezone import rezone
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.schema import zone_data_version
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import UnusableDatabase
from taskservice.core.local_times import to_utc
from taskservice.core.zones import ZONE_DATA_VERSION

NOW = datetime(2026, 11, 29, tzinfo=UTC)
OLD = "2025.2"
ONE_TIME = {
    "due": "UPDATE tasks SET start_utc = NULL",
    "start": "UPDATE tasks SET due_utc = NULL",
}
OUTDATED = "UPDATE taskservice_zone_data SET version = '2025.2'"
STORED = "UPDATE tasks SET due_utc = '{0}', start_utc = '{0}' WHERE id = '{1}'"


class Zoned(NamedTuple):
    """A database, the addresses of the service and of the tables' owner, and a user."""

    service: str
    owner: str
    superuser: Engine
    ada: ApiClient

    def store_by_old_data(self, task: dict[str, Any], day: str = "2027-01-15") -> None:
        """Give a task the moment that older zone data makes of nine o'clock in Vancouver."""
        is_sqlite = self.superuser.dialect.name == "sqlite"
        offset = ".000000" if is_sqlite else "+00:00"
        stored_id = task["id"].replace("-", "") if is_sqlite else task["id"]
        self.execute(STORED.format(f"{day} 17:00:00{offset}", stored_id))
        self.execute(OUTDATED)

    def execute(self, statement: str) -> None:
        """Execute a statement as a superuser."""
        with self.superuser.connect() as connection:
            connection.execute(text(statement))

    def checked(self, folder: Path) -> list[str]:
        """Return what `check` finds about the zones."""
        settings = {"DATABASE_URL": self.service, "TASKSERVICE_JWT_SECRET": SECRET}
        result = run([*COMMAND, "check"], folder, **settings)
        assert result.returncode == 0, result.stdout
        lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
        at = next(n for n, line in enumerate(lines) if line.split()[1:2] == ["zones"])
        return lines[at : at + 2] if lines[at].startswith("warn") else lines[at : at + 1]


NOBODY = ApiClient(application(InMemoryStorage().open_workspace).test_client(), "nobody")


@pytest.fixture(params=["sqlite", "postgresql"])
def zoned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Zoned]:
    if request.param == "sqlite":
        address = sqlite_database(tmp_path)
        engine = service_engine(address)
        yield Zoned(address, address, unpooled_engine(database_url(address)), client(engine))
        engine.dispose()
        return
    server: Databases = request.getfixturevalue("postgresql")
    with migrated_database(server) as database:
        engine = service_engine(database.service)
        yield Zoned(database.service, database.owner, database.superuser_engine, client(engine))
        engine.dispose()


def client(engine: Engine) -> ApiClient:
    return ApiClient(application(SqlStorage(engine).open_workspace).test_client(), "ada")


def in_vancouver(zoned: Zoned, day: str = "2027-01-15") -> dict[str, Any]:
    """Create a task that is due at nine o'clock."""
    return zoned.ada.create(
        title="x", due=f"{day}T09:00:00", start=f"{day}T09:00:00", time_zone="America/Vancouver"
    )


def test_case_10_rezone_moves_the_moment_and_nothing_that_is_shown(
    zoned: Zoned, tmp_path: Path
) -> None:
    """Nine o'clock was 17:00 in UTC, and is 16:00 since the release 2026f."""
    task = in_vancouver(zoned)
    before = zoned.ada("GET", f"/{task['id']}")
    zoned.store_by_old_data(task)
    at = {"due_before": "2027-01-15T16:30:00"}, {"available_at": "2027-01-15T16:30:00"}
    assert [found(zoned.ada, **query) for query in at] == [set(), set()]
    assert zoned.checked(tmp_path) == [
        f"warn zones tasks are due by the zone data {OLD}, this version has {ZONE_DATA_VERSION}",
        "as the tables' owner, run `taskservice db rezone`",
    ]
    result = run([*COMMAND, "db", "rezone"], tmp_path, DATABASE_URL=zoned.owner)
    assert result.stdout == f"recomputed 1 task with the zone data {ZONE_DATA_VERSION}\n"
    assert [found(zoned.ada, **query) for query in at] == [{"x"}, {"x"}]
    after = zoned.ada("GET", f"/{task['id']}")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert zoned.checked(tmp_path) == [
        f"ok zones tasks are due by the zone data {ZONE_DATA_VERSION}"
    ]


def test_rezone_recomputes_each_task_of_each_user_once(
    zoned: Zoned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches; what is past stays, and a second run finds nothing."""
    monkeypatch.setattr("taskservice.adapters.sql.admin.rezone.BATCH_SIZE", 2)
    bob = zoned._replace(ada=ApiClient(zoned.ada.client, "bob"))
    days = [f"2027-01-{number}" for number in range(15, 20)]
    for user, day in [*((zoned, day) for day in days), (bob, days[0])]:
        zoned.store_by_old_data(in_vancouver(user, day), day)
    past = in_vancouver(zoned, "2025-01-15")
    zoned.store_by_old_data(past, "2026-01-15")
    zoned.ada.create(title="floating", due="2027-01-15T09:00:00")
    engine = unpooled_engine(database_url(zoned.owner))
    assert rezone(engine, NOW) == 6
    assert rezone(engine, NOW) == 0


@pytest.mark.parametrize("name", ["due", "start"])
def test_rezone_recomputes_a_task_with_one_of_the_two_times(zoned: Zoned, name: str) -> None:
    """A start alone, or a due alone, has a moment as well."""
    time = {name: "2027-01-15T09:00:00", "time_zone": "America/Vancouver"}
    zoned.store_by_old_data(zoned.ada.create(title="x", **time))
    zoned.execute(ONE_TIME[name])
    assert rezone(unpooled_engine(database_url(zoned.owner)), NOW) == 1


def test_rezone_keeps_the_moment_of_a_zone_that_it_does_not_know(zoned: Zoned) -> None:
    """Another version of the zone data has stored it."""
    zoned.store_by_old_data(in_vancouver(zoned))
    zoned.execute("UPDATE tasks SET time_zone = 'Europe/Newtown'")
    assert rezone(unpooled_engine(database_url(zoned.owner)), NOW) == 0
    assert found(zoned.ada, due_before="2027-01-15T17:00:01") == {"x"}
    assert found(zoned.ada, due_before="2027-01-15T17:00:00") == set()


def test_rezone_leaves_a_task_that_is_changed_meanwhile(
    postgresql: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change has stored the moment of its own time."""
    with migrated_database(postgresql) as database:
        engine = service_engine(database.service)
        zoned = Zoned(database.service, database.owner, database.superuser_engine, client(engine))
        task = in_vancouver(zoned)
        zoned.store_by_old_data(task)

        def change_meanwhile(*value: Any) -> datetime | None:
            with suppress(IndexError):
                changed(zoned.ada, changes.pop(), due="2027-02-15T09:00:00", start=None)
            return to_utc(*value)

        changes = [task]
        monkeypatch.setattr("taskservice.adapters.sql.admin.rezone.to_utc", change_meanwhile)
        assert rezone(unpooled_engine(database_url(zoned.owner)), NOW) == 0
        assert found(zoned.ada, due_before="2027-02-15T16:00:00") == set()
        assert found(zoned.ada, due_before="2027-02-15T16:00:01") == {"x"}
        engine.dispose()


@pytest.mark.parametrize("rows", ["DELETE FROM {}", "INSERT INTO {} VALUES ('2025.1')"])
def test_rezone_repairs_the_table_of_the_version(zoned: Zoned, tmp_path: Path, rows: str) -> None:
    """A restore may have left no row, or two."""
    zoned.execute(rows.format("taskservice_zone_data"))
    assert zoned.checked(tmp_path)[0].startswith(
        "warn zones tasks are due by the zone data unknown"
    )
    rezone(unpooled_engine(database_url(zoned.owner)), NOW)
    assert zoned.checked(tmp_path)[0].startswith("ok zones")


def test_serve_rezones_an_sqlite_file(tmp_path: Path) -> None:
    """It is the only process that serves the file."""
    address = sqlite_database(tmp_path)
    engine = unpooled_engine(database_url(address))
    with engine.connect() as connection:
        connection.execute(text(OUTDATED))
    settings = {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET}
    with running([*COMMAND, "serve", "--port", "0"], tmp_path, **settings):
        assert zone_data_version(engine) == ZONE_DATA_VERSION


def test_a_role_that_the_policy_does_not_name_cannot_rezone(postgresql: Databases) -> None:
    """A new owner of the tables would find no task; the message says what to do."""
    with migrated_database(postgresql) as database:
        zoned = Zoned(database.service, database.owner, database.superuser_engine, NOBODY)
        zoned.execute(f"ALTER POLICY zones ON tasks TO {database.role}")
        with pytest.raises(UnusableDatabase) as refused:
            rezone(unpooled_engine(database_url(database.owner)), NOW)
        assert refused.value.advice.endswith("ALTER POLICY zones ON tasks TO CURRENT_USER")


def test_the_role_that_serves_cannot_rezone(postgresql: Databases, tmp_path: Path) -> None:
    """It sees no other user's tasks, and says so instead of finding none."""
    with migrated_database(postgresql) as database:
        result = run([*COMMAND, "db", "rezone"], tmp_path, DATABASE_URL=database.service)
    assert result.returncode == 2
    assert "this role cannot find the tasks that have a time zone" in result.stderr
