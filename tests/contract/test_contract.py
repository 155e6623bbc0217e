"""Every promise of the port, on every adapter: see `open_workspace` in the conftest."""

import pytest

from taskservice.testing.contract import (
    Concurrency,
    Idempotency,
    Listing,
    OneOwner,
    Placement,
    Queries,
    Series,
    TaskServiceContract,
    TwoOwners,
)

OTHER_DATABASES = pytest.mark.parametrize(
    "open_workspace", ["pooler", "partitioned"], indirect=True
)


@pytest.mark.parametrize("open_workspace", ["memory", "sqlite", "postgresql"], indirect=True)
class TestPromises(TaskServiceContract):
    """All of them on each adapter."""


@OTHER_DATABASES
class TestOtherDatabases(OneOwner, TwoOwners, Idempotency, Placement, Series):
    """Each method, through a pooler and on partitioned tables."""


@OTHER_DATABASES
@pytest.mark.lengthy
class TestOtherDatabasesAtLength(Concurrency, Listing, Queries):
    """The rest of the contract (tox -e contract)."""
