"""One user whose requests take long leaves the database to the others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tests.databases import Database, await_lock
from tests.http_callers import token_of
from tests.processes import Answer, Service, gunicorn
from tests.secret_values import SECRET

from taskservice.config import Settings

PLACES = Settings(database_url="", jwt_secret=SECRET).pool_size
KEY = "a key that is held"
HELD = """
    INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at)
    VALUES ('ada', %s, '', now())
"""


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """A service of one worker, in which a lock is waited for as long as the test holds it."""
    settings = {
        "DATABASE_URL": database.service,
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_LOCK_TIMEOUT": "25",
        "TASKSERVICE_STATEMENT_TIMEOUT": "25",
        "TASKSERVICE_POOL_TIMEOUT": "25",
        "WEB_CONCURRENCY": "1",
    }
    with gunicorn(tmp_path, **settings) as service:
        yield service


def test_retries_of_a_locked_key_do_not_block_other_users(
    service: Service, database: Database
) -> None:
    """However many wait for one user's lock, each request of another is served."""

    def retry(_: int) -> Answer:
        headers = {"Idempotency-Key": KEY}
        return service("POST", "/api/tasks/ada/tasks", token_of("ada"), {"title": "x"}, **headers)

    def ask(_: int) -> int:
        return service("GET", "/api/tasks/bob/tasks", token_of("bob")).status

    with ThreadPoolExecutor(3 * PLACES) as pool, psycopg.connect(database.superuser) as holder:
        holder.execute(HELD, [KEY])
        retries = [pool.submit(retry, n) for n in range(3 * PLACES)]
        await_lock(database.superuser_engine, PLACES - 1)
        assert [ask(n) for n in range(20)] == [200] * 20
        holder.rollback()
        assert {retry.result().status for retry in retries} == {201}
