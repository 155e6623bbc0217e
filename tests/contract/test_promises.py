"""Every promise of the port, on every adapter: see `open_tasks` in the conftest."""

from taskservice.testing.contract import TaskServiceContract


class TestPromises(TaskServiceContract):
    """Memory, SQLite, and PostgreSQL: directly, through a pooler, in partitions."""
