"""What breaks: each fault is a function that strikes a target and returns when it is healed."""

import time
from collections.abc import Callable, Mapping
from random import Random

from tests.faults.targets import Target

HELD_SECONDS = 0.5
STORM_SECONDS = 1.0
LOCK_TIMEOUT = 0.1
"""The service's, in seconds, where statements are to fail for it."""

Fault = Callable[[Target], object]


def kill_worker(target: Target) -> None:
    """Kill a worker in the midst of its requests."""
    target.server.kill_worker()


def kill_master(target: Target) -> None:
    """Kill gunicorn's master, and start it again on the same port."""
    target.server.kill()
    target.server.start()


def reload(target: Target) -> None:
    """Have gunicorn replace its workers."""
    target.server.reload()


def restart_database(target: Target) -> None:
    """Stop PostgreSQL, which rolls back what is open, and start it on the same data."""
    assert target.postgres_server is not None
    target.postgres_server.restart("fast")


def crash_database(target: Target) -> None:
    """Stop PostgreSQL as a crash does, and have it recover from its log."""
    assert target.postgres_server is not None
    target.postgres_server.restart("immediate")


def kill_database(target: Target) -> None:
    """Kill the postmaster, and have PostgreSQL recover from its log."""
    assert target.postgres_server is not None
    target.postgres_server.kill()
    target.postgres_server.start()


def terminate_backends(target: Target) -> None:
    """End every connection of the service, from within the database."""
    assert target.database is not None
    target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role",
        role=target.database.role,
    )


def cut(target: Target) -> None:
    """Cut every connection on the way to the database."""
    assert target.proxy is not None
    target.proxy.cut()


def stall(target: Target) -> None:
    """Pass nothing on between the service and the database, for a time."""
    assert target.proxy is not None
    target.proxy.hold(HELD_SECONDS)


def restart_pooler(target: Target) -> None:
    """Stop PgBouncer at once, and start it again."""
    assert target.pooler is not None
    target.pooler.restart()


def fail_statements(random: Random, target: Target) -> None:
    """Have statements fail, one way after another at random, while others succeed."""
    end = time.monotonic() + STORM_SECONDS
    while time.monotonic() < end:
        random.choice([_hold_a_lock, _cancel, _terminate, _change_a_column])(random, target)
        time.sleep(random.uniform(0, LOCK_TIMEOUT))


def _hold_a_lock(random: Random, target: Target) -> None:
    """Lock a table against writes, as an index that is made does, or against reads too."""
    table = random.choice(["tasks", "trash", "heads", "changes"])
    mode = random.choice(["SHARE", "SHARE", "ACCESS EXCLUSIVE"])
    with target.rows.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"LOCK TABLE {table} IN {mode} MODE")
        time.sleep(random.uniform(0.5, 2) * LOCK_TIMEOUT)
        connection.exec_driver_sql("ROLLBACK")


def _cancel(_: Random, target: Target) -> None:
    _strike_one(target, "pg_cancel_backend")


def _terminate(_: Random, target: Target) -> None:
    _strike_one(target, "pg_terminate_backend")


def _change_a_column(random: Random, target: Target) -> None:
    """Make a column another: what is prepared does not survive that."""
    target.execute(f"ALTER TABLE tasks ALTER title TYPE varchar({random.randint(255, 999)})")


def _strike_one(target: Target, blow: str) -> None:
    """Strike a statement of the service's, whichever is under way."""
    assert target.database is not None
    target.execute(
        f"SELECT {blow}(pid) FROM pg_stat_activity "  # noqa: S608
        "WHERE usename = :role AND state <> 'idle' ORDER BY random() LIMIT 1",
        role=target.database.role,
    )


EMBEDDED: Mapping[str, Fault] = {
    "kill a worker": kill_worker,
    "kill the master": kill_master,
    "reload": reload,
}
DIRECT: Mapping[str, Fault] = {
    **EMBEDDED,
    "restart the database": restart_database,
    "crash the database": crash_database,
    "kill the database": kill_database,
    "terminate the backends": terminate_backends,
    "cut the wire": cut,
    "stall the wire": stall,
}
POOLED: Mapping[str, Fault] = {**DIRECT, "restart the pooler": restart_pooler}
