"""The promises of the ports as test classes: whoever writes an adapter proves it with them.

Each class is one subject; `TaskServiceContract` is all that `OpenTasks`,
`TaskService` and `IdempotencyStore` promise, `OwnerDataContract` what `OwnerData` does.
They stand apart from `taskservice.testing`, so that a profile of Hypothesis
that a conftest loads is there before they are.
"""

from taskservice.testing.contract.base import UntestedPromise
from taskservice.testing.contract.concurrency import Concurrency
from taskservice.testing.contract.idempotency import Idempotency
from taskservice.testing.contract.listing import Listing
from taskservice.testing.contract.one_owner import OneOwner
from taskservice.testing.contract.owner_data import OwnerDataContract
from taskservice.testing.contract.queries import Queries
from taskservice.testing.contract.two_owners import TwoOwners

__all__ = [
    "Concurrency",
    "Idempotency",
    "Listing",
    "OneOwner",
    "OwnerDataContract",
    "Queries",
    "TaskServiceContract",
    "TwoOwners",
    "UntestedPromise",
]


class TaskServiceContract(Concurrency, Idempotency, Queries, Listing, TwoOwners, OneOwner):
    """Every promise of the port. An adapter is proved by a class and a fixture.

    ::

        class TestMyTasks(TaskServiceContract):
            @pytest.fixture
            def open_tasks(self, clock: TickingClock) -> OpenTasks:
                return MyTasks(clock).open_tasks

    What it cannot see from within one process is durability through a crash.
    """
