"""`taskservice check`: reports each problem with advice, and prints no secret."""

import socket
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import sleep, time

import pytest
from sqlalchemy import event
from tests.databases import Database, sqlite_database
from tests.postgres import Databases
from tests.processes import COMMAND, run
from tests.redis_server import redis_server
from tests.secret_values import DATABASE_PASSWORD, SECRET
from tests.token_issuer import Issuer, failing, saying

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.database_info import inspect_database, missing_privileges
from taskservice.adapters.sql.checks.readiness import NO_FILE_ADVICE
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.cli.check_findings import fail
from taskservice.core.errors import Unavailable
from taskservice.core.zones import ZONE_DATA_VERSION

NEWEST = schema.VERSIONS[-1]
PARTS = ["settings", "database", "clock", "schema", "tables", "zones", "changes", "role", "keys"]


def checked(folder: Path, **settings: str) -> tuple[int, list[str], str]:
    """Return exit status, findings with single spaces, and standard error."""
    result = run([*COMMAND, "check"], folder, **settings)
    assert SECRET not in result.stdout + result.stderr
    text = result.stdout.replace("\n" + " " * 16, " -> ")
    return result.returncode, [" ".join(line.split()) for line in text.splitlines()], result.stderr


def failures(found: list[str]) -> list[str]:
    return [line.removeprefix("FAIL ") for line in found if line.startswith("FAIL")]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


def test_a_valid_configuration_passes(database: Database, tmp_path: Path) -> None:
    """Every part is listed, and the exit status is 0."""
    settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
    status, found, error = checked(tmp_path, **settings)
    assert (status, error) == (0, "")
    parts = [" ".join(line.split()[:2]) for line in found]
    assert parts == [f"ok {p}" for p in PARTS]
    assert found[1].startswith("ok database PostgreSQL 1")
    assert (
        found[7]
        == f"ok role {database.role} is an ordinary role, to which row-level security applies"
    )


def test_sqlite_passes(tmp_path: Path) -> None:
    """A file has no role and no clock."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    status, found, error = checked(tmp_path, **settings)
    assert (status, error) == (0, "")
    assert found[2:] == [
        f"ok schema at version {NEWEST}; taskservice needs {NEWEST}",
        "ok tables requests can read each of them",
        f"ok zones tasks are due by the zone data {ZONE_DATA_VERSION}",
        "ok changes no gaps in the numbers of 0 users in a sample",
        "ok role SQLite has no roles: protect the file with its permissions",
        "ok keys a shared secret for HS256",
    ]


def test_every_invalid_setting_is_a_line(tmp_path: Path) -> None:
    """No other check runs."""
    status, found, error = checked(tmp_path, TASKSERVICE_POOL_SIZE="0")
    assert [line.partition(" ->")[0] for line in failures(found)] == [
        "settings TASKSERVICE_POOL_SIZE must be a whole number from 1 to 9999",
        "settings DATABASE_URL must be set",
        "settings TASKSERVICE_JWT_SECRET or TASKSERVICE_JWKS_URL must be set",
    ]
    assert (status, error) == (2, "Error: 3 of 3 checks failed\n")


def test_an_unreachable_database_is_a_failure(tmp_path: Path) -> None:
    """With the reason and advice; checks that depend on it do not run."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = (
            f"postgresql://taskservice:{DATABASE_PASSWORD}@127.0.0.1:{unused.getsockname()[1]}/x"
        )
        status, found, _ = checked(tmp_path, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET)
    (failure,) = failures(found)
    assert failure.startswith("database database error: Connection refused")
    assert "check that it runs, that DATABASE_URL has the right host and port" in failure
    assert (status, len(found)) == (2, 3)


def test_a_missing_file_is_a_failure_and_not_created(tmp_path: Path) -> None:
    """The advice is the command that creates it."""
    address = f"sqlite:///{tmp_path}/tasks.db"
    _, found, _ = checked(tmp_path, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET)
    assert failures(found) == [f"database there is no file {tmp_path}/tasks.db -> {NO_FILE_ADVICE}"]
    assert list(tmp_path.iterdir()) == []


def test_an_outdated_schema_is_a_failure(postgresql: Databases, tmp_path: Path) -> None:
    """The advice is the command that upgrades it."""
    address = postgresql.create_database()
    status, found, _ = checked(tmp_path, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET)
    (failure,) = failures(found)
    assert failure.startswith("schema the database schema is at version none, taskservice needs")
    assert "run `taskservice db upgrade`" in failure
    assert status == 2
    postgresql.drop_database(address)


def test_a_privileged_role_is_a_failure(database: Database, tmp_path: Path) -> None:
    """The tables' owner is one; if privileged roles are allowed, it is a warning."""
    settings = {"DATABASE_URL": database.owner, "TASKSERVICE_JWT_SECRET": SECRET}
    status, found, _ = checked(tmp_path, **settings)
    (failure,) = failures(found)
    assert (
        "which owns the tables: row-level security does not apply -> Serve as an ordinary"
        in failure
    )
    assert status == 2
    status, found, _ = checked(tmp_path, **settings, TASKSERVICE_ALLOW_PRIVILEGED_ROLE="true")
    assert (status, [line[:9] for line in found if line.startswith("warn")]) == (0, ["warn role"])


def test_a_missing_grant_is_a_failure(
    database: Database, postgresql: Databases, tmp_path: Path
) -> None:
    """With table and privilege, or with the database's message if it denies the first read."""
    settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
    with database.superuser_engine.connect() as connection:
        connection.exec_driver_sql(f"REVOKE DELETE ON lists, tasks, trash FROM {database.role}")
        connection.exec_driver_sql(f"REVOKE UPDATE (previous) ON changes FROM {database.role}")
        connection.exec_driver_sql("ALTER TABLE lists NO FORCE ROW LEVEL SECURITY")
    status, found, _ = checked(tmp_path, **settings)
    grant = f"run `taskservice db grant {database.role}` as the tables' owner"
    assert (status, failures(found)) == (
        2,
        [
            f"role {database.role} has no DELETE on lists, DELETE on tasks, "
            f"DELETE on trash, UPDATE (previous) on changes -> {grant}",
            "role row-level security is not enabled and forced on table lists -> "
            "as the tables' owner: "
            "ALTER TABLE lists ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        ],
    )
    with database.superuser_engine.connect() as connection:
        connection.exec_driver_sql(f"REVOKE ALL ON taskservice_schema_version FROM {database.role}")
    _, found, _ = checked(tmp_path, **settings)
    (failure,) = failures(found)
    assert failure.startswith("schema database error: permission denied for table task")
    assert failure.endswith(grant)


def test_a_database_that_becomes_unreachable_raises_unavailable() -> None:
    """Each check translates the driver's errors."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"postgresql://taskservice@127.0.0.1:{unused.getsockname()[1]}/x"
        with pytest.raises(Unavailable, match="Connection refused"):
            missing_privileges(unpooled_engine(database_url(address)))


def test_network_latency_does_not_change_the_clock_skew(database: Database) -> None:
    """The skew is relative to the middle of the round trip."""
    engine = database.owner_engine
    for moment in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(engine, moment, lambda *_: sleep(0.5))
    info = inspect_database(engine)
    assert info.milliseconds > 1000
    assert info.clock_offset == pytest.approx(0, abs=0.1)


def test_usable_keys_are_counted(issuer: Issuer, tmp_path: Path) -> None:
    """By algorithm, with the reasons for ignored keys; missing restrictions are warnings."""
    issuer.extra = [{"kty": "RSA", "kid": "e1", "use": "enc"}]
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWKS_URL": issuer.url}
    status, found, _ = checked(tmp_path, **settings, TASKSERVICE_JWT_ISSUER="https://i.example/")
    assert status == 0
    assert found[7:] == [
        "ok keys usable keys: 1 ES256, 1 EdDSA, 1 RS256; "
        'ignored: key 4 (kid "e1"): use is "enc", not "sig"',
        "warn keys the key set is fetched over http:// -> "
        "use https://: anyone who can modify the response in transit can forge tokens",
        "warn keys TASKSERVICE_JWT_AUDIENCE is not set: tokens that the issuer creates for other "
        "services are accepted -> set TASKSERVICE_JWT_AUDIENCE to the value in the issuer's "
        "tokens, see docs/authentication.md",
        found[-1],
    ]
    assert found[-1].startswith("ok clock the issuer's clock is ")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (failing(404), "127.0.0.1 returned status 404"),
        (saying(b"<html>"), "syntax error or unexpected end at line 1, column 1"),
        (
            saying(b'{"keys": [{"kty": "oct", "kid": "k1"}]}'),
            'the key set has no usable key: key 1 (kid "k1"): kty is "oct", not "OKP", ',
        ),
    ],
)
def test_an_unusable_key_set_is_a_failure(
    issuer: Issuer, tmp_path: Path, answer: object, reason: str
) -> None:
    """Not found, not a key set, no usable key."""
    usual, issuer.answer = issuer.answer, answer  # type: ignore[assignment]
    try:
        settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWKS_URL": issuer.url}
        status, found, _ = checked(tmp_path, **settings)
    finally:
        issuer.answer = usual
    (failure,) = failures(found)
    assert reason in failure
    assert status == 2


@pytest.mark.parametrize(("ahead", "state"), [(3600, "FAIL"), (-3600, "FAIL"), (15, "warn")])
def test_clock_skew_is_a_finding(issuer: Issuer, tmp_path: Path, ahead: int, state: str) -> None:
    """The issuer's, from the header `Date`: at over 30 s, every token would be refused."""

    def dated(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        handler.send_response_only(200)
        handler.send_header("Date", formatdate(time() + ahead, usegmt=True))
        handler.end_headers()
        handler.wfile.write(document)

    usual, issuer.answer = issuer.answer, dated
    try:
        settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWKS_URL": issuer.url}
        status, found, _ = checked(tmp_path, **settings)
    finally:
        issuer.answer = usual
    (logged,) = [line for line in found if " clock " in line]
    assert logged.startswith(f"{state} clock the issuer's clock is ")
    assert f"s {'ahead of' if ahead > 0 else 'behind'} this machine's -> synchronize both" in logged
    assert status == (2 if state == "FAIL" else 0)


def test_text_of_servers_is_escaped() -> None:
    """Control characters and bidirectional overrides in messages and roles."""
    logged = fail("database", "database error: \x1b]0;\x9b\u202e", "grant it to \x1b[1m").line()
    assert logged.splitlines() == [
        r"FAIL  database  database error: \x1b]0;\x9b\u202e",
        r"                grant it to \x1b[1m",
    ]


def test_the_rate_limit_store_is_checked(tmp_path: Path) -> None:
    """An unavailable Redis is a warning, as requests are served anyway."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    with redis_server() as redis:
        storage = {"TASKSERVICE_RATE_LIMIT_STORAGE": redis.address}
        status, found, _ = checked(tmp_path, **settings, **storage)
        assert (status, found[-1]) == (0, "ok ratelimit the rate limit store is available")
    status, found, _ = checked(tmp_path, **settings, **storage)
    assert (status, found[-1][:14]) == (0, "warn ratelimit")
