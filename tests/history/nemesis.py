"""What breaks: each fault is a function that strikes a target and returns when it is healed."""

from collections.abc import Callable, Mapping

from tests.history.targets import Target

HELD_SECONDS = 0.5

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
    assert target.database is not None
    target.database.restart("fast")


def crash_database(target: Target) -> None:
    """Stop PostgreSQL as a crash does, and have it recover from its log."""
    assert target.database is not None
    target.database.restart("immediate")


def terminate_backends(target: Target) -> None:
    """End every connection of the service, from within the database."""
    assert target.home is not None
    target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role",
        role=target.home.role,
    )


def cut(target: Target) -> None:
    """Cut every connection on the way to the database."""
    assert target.wire is not None
    target.wire.cut()


def stall(target: Target) -> None:
    """Pass nothing on between the service and the database, for a time."""
    assert target.wire is not None
    target.wire.hold(HELD_SECONDS)


def restart_pooler(target: Target) -> None:
    """Stop PgBouncer at once, and start it again."""
    assert target.pooler is not None
    target.pooler.restart()


EMBEDDED: Mapping[str, Fault] = {
    "kill a worker": kill_worker,
    "kill the master": kill_master,
    "reload": reload,
}
DIRECT: Mapping[str, Fault] = {
    **EMBEDDED,
    "restart the database": restart_database,
    "crash the database": crash_database,
    "terminate the backends": terminate_backends,
    "cut the wire": cut,
    "stall the wire": stall,
}
POOLED: Mapping[str, Fault] = {**DIRECT, "restart the pooler": restart_pooler}
