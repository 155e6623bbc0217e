"""Every promise of the port, on every adapter: see `open_workspace` in the conftest."""

from collections.abc import Iterator
from typing import Any, cast

import psycopg
import pytest
from tests.contract.conftest import ENTRANCES
from tests.contract.maintenance import (
    MemoryMaintenance,
    PostgresMaintenance,
    SqliteMaintenance,
)

from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.contract import (
    Batches,
    BulkOperations,
    Concurrency,
    DeltaSync,
    Expiry,
    History,
    Idempotency,
    Listing,
    Maintenance,
    Numbering,
    OneOwner,
    Placement,
    Queries,
    Restoration,
    Series,
    Summaries,
    TaskServiceContract,
    Trash,
    TwoOwners,
)

EACH_ADAPTER = pytest.mark.parametrize(
    "open_workspace", ["memory", "sqlite", "postgresql"], indirect=True
)
OTHER_DATABASES = pytest.mark.parametrize(
    "open_workspace", ["pooler", "partitioned"], indirect=True
)


class Maintained(Expiry):
    """The contract of pruned logs and restored backups, with the maintenance of each adapter."""

    @pytest.fixture
    def maintenance(
        self, open_workspace: OpenWorkspace, request: pytest.FixtureRequest
    ) -> Iterator[Maintenance]:
        storage = cast(Any, open_workspace).__self__
        (adapter,) = request.node.callspec.params.values()
        if adapter == "memory":
            yield MemoryMaintenance(storage)
        elif adapter == "sqlite":
            yield SqliteMaintenance(storage._engine)
        else:
            database = request.getfixturevalue(ENTRANCES[adapter][0])
            with psycopg.connect(database.superuser, autocommit=True) as connection:
                yield PostgresMaintenance(database, connection)


@EACH_ADAPTER
class TestPromises(TaskServiceContract):
    """All of them on each adapter."""


@EACH_ADAPTER
class TestMaintenance(Maintained):
    """With what an administrator does, on each adapter."""


@OTHER_DATABASES
class TestOtherDatabases(
    OneOwner,
    TwoOwners,
    Idempotency,
    Placement,
    Series,
    Numbering,
    DeltaSync,
    Trash,
    Restoration,
    History,
    Batches,
    BulkOperations,
):
    """Each method, through a pooler and on partitioned tables."""


@OTHER_DATABASES
@pytest.mark.lengthy
class TestOtherDatabasesAtLength(Concurrency, Listing, Queries, Summaries, Maintained):
    """The rest of the contract (tox -e contract)."""


@EACH_ADAPTER
@pytest.mark.lengthy
@pytest.mark.timeout(1200)
class TestMaintenanceAtLength(Maintained):
    """The random model of delta sync, a third as often as `--cases` says (tox -e contract)."""

    @pytest.fixture
    def model_runs(self, cases: int) -> int:
        return cases // 3
