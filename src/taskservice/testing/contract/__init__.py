"""The contract of the ports as test classes, to test storage adapters with.

Each class covers one subject. `TaskServiceContract` is the contract of
`OpenWorkspace`, `TaskService`, `IdempotencyStore` and `ChangeLog`, `OwnerDataContract`
that of `OwnerData`, and `Expiry` that of a storage that is pruned, backed up and restored.
`taskservice.testing` does not import them, so that a conftest can load a Hypothesis
profile first.
"""

from taskservice.testing.contract.base import UntestedGuarantee
from taskservice.testing.contract.batches import Batches
from taskservice.testing.contract.bulk_operations import BulkOperations
from taskservice.testing.contract.concurrency import Concurrency
from taskservice.testing.contract.delta_sync import DeltaSync
from taskservice.testing.contract.expiry import Expiry
from taskservice.testing.contract.history import History
from taskservice.testing.contract.idempotency import Idempotency
from taskservice.testing.contract.listing import Listing
from taskservice.testing.contract.numbering import Numbering
from taskservice.testing.contract.one_owner import OneOwner
from taskservice.testing.contract.owner_data import OwnerDataContract
from taskservice.testing.contract.placement import Placement
from taskservice.testing.contract.queries import Queries
from taskservice.testing.contract.restoration import Restoration
from taskservice.testing.contract.series import Series
from taskservice.testing.contract.summaries import Summaries
from taskservice.testing.contract.sync_model import Maintenance
from taskservice.testing.contract.trash import Trash
from taskservice.testing.contract.two_owners import TwoOwners

__all__ = [
    "Batches",
    "BulkOperations",
    "Concurrency",
    "DeltaSync",
    "Expiry",
    "History",
    "Idempotency",
    "Listing",
    "Maintenance",
    "Numbering",
    "OneOwner",
    "OwnerDataContract",
    "Placement",
    "Queries",
    "Restoration",
    "Series",
    "Summaries",
    "TaskServiceContract",
    "Trash",
    "TwoOwners",
    "UntestedGuarantee",
]


class TaskServiceContract(
    Batches,
    BulkOperations,
    DeltaSync,
    Numbering,
    Concurrency,
    Idempotency,
    Summaries,
    History,
    Restoration,
    Trash,
    Series,
    Placement,
    Queries,
    Listing,
    TwoOwners,
    OneOwner,
):
    """The whole contract. A test of an adapter is a subclass with one fixture.

    ::

        class TestMyTasks(TaskServiceContract):
            @pytest.fixture
            def open_workspace(self, clock: TickingClock) -> OpenWorkspace:
                return MyStorage(clock).open_workspace

    It runs in one process, so it does not test durability after a crash.
    """
