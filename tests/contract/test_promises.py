"""Every promise of the port, on every adapter: see `open_tasks` in the conftest."""

import pytest

from taskservice.testing.contract import (
    Idempotency,
    OneOwner,
    TaskServiceContract,
    TwoOwners,
)


@pytest.mark.parametrize("open_tasks", ["memory", "sqlite", "postgresql"], indirect=True)
class TestPromises(TaskServiceContract):
    """All of them on each adapter."""


@pytest.mark.parametrize("open_tasks", ["pooler", "partitioned"], indirect=True)
class TestOtherEntrances(OneOwner, TwoOwners, Idempotency):
    """Every door through a pooler, and over tables in partitions."""
