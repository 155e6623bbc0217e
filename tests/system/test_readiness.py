"""`/readyz` names the part that is not fit, and the log says why."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from time import sleep

import pytest
from tests.databases import migrated_database, sqlite_database
from tests.postgres import Databases
from tests.processes import Service, gunicorn
from tests.secret_values import DATABASE_PASSWORD, SECRET

from taskservice.core.operations.readiness import RESULT_TTL

OK, OUT = "ok", "unavailable"


@contextmanager
def without_database(folder: Path) -> Iterator[Service]:
    address = f"postgresql://x:{DATABASE_PASSWORD}@127.0.0.1:1/tasks"
    with gunicorn(folder, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET) as service:
        yield service


@contextmanager
def altered(folder: Path) -> Iterator[Service]:
    address = sqlite_database(folder)
    with gunicorn(folder, DATABASE_URL=address, TASKSERVICE_JWT_SECRET=SECRET) as service:
        assert service("GET", "/readyz").json["checks"] == dict.fromkeys(CHECKS, OK)
        with closing(sqlite3.connect(folder / "tasks.db")) as connection:
            connection.execute("ALTER TABLE tasks RENAME COLUMN search_text TO other")
            connection.commit()
        sleep(RESULT_TTL)
        yield service


@contextmanager
def without_keys(folder: Path) -> Iterator[Service]:
    keys = "http://127.0.0.1:1/keys"
    with gunicorn(
        folder, DATABASE_URL=sqlite_database(folder), TASKSERVICE_JWKS_URL=keys
    ) as service:
        yield service


CHECKS = ("database", "schema", "keys")
UNFIT = {
    "a database that is away takes its schema along": (without_database, (OUT, OUT, OK)),
    "a table that is not what a request needs": (altered, (OK, OUT, OK)),
    "keys that were never fetched": (without_keys, (OK, OK, OUT)),
}


@pytest.mark.parametrize("case", UNFIT)
def test_each_check_is_reported_separately(tmp_path: Path, case: str) -> None:
    """503, with what was found of each part, and a warning for each that is unfit."""
    unfit, states = UNFIT[case]
    with unfit(tmp_path) as service:
        answer = service("GET", "/readyz")
        assert answer.status == 503
        assert answer.json["checks"] == dict(zip(CHECKS, states, strict=True))
        assert service("GET", "/livez").status == 200
        assert service.stop() == 0
    logged = [json.loads(line) for line in service.output]
    failed = [line for line in logged if line["event"] == "readiness check failed"]
    reasons = {line["check"]: line["reason"] for line in failed}
    assert reasons.keys() == {name for name, state in answer.json["checks"].items() if state == OUT}
    assert all(reasons.values())


def test_many_concurrent_probes_get_the_current_state(
    postgresql: Databases, tmp_path: Path
) -> None:
    """They share one result, and do not compete for the only connection, which is open before."""
    settings = {
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_POOL_SIZE": "1",
        "TASKSERVICE_POOL_TIMEOUT": "0.001",
        "WEB_CONCURRENCY": "1",
    }
    with (
        migrated_database(postgresql) as database,
        gunicorn(tmp_path, DATABASE_URL=database.service, **settings) as service,
        ThreadPoolExecutor(20) as callers,
    ):
        assert service("GET", "/readyz").status == 200
        asked = [callers.submit(lambda: service("GET", "/readyz")) for _ in range(400)]
        assert {future.result().status for future in asked} == {200}
