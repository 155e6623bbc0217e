"""Tools for tests of clients and of storage adapters; `docs/adapters.md` has examples.

- `ready_application`: the application over a storage adapter, by default in memory.
- `token_of`, `ApiClient`: a token of a user, and a client that sends it.
- `InMemoryStorage`, `TickingClock`, `ADA`, `BOB`: an adapter, a settable clock, two owners.
- `fixtures`: pytest fixtures; `pytest_plugins = ["taskservice.testing.fixtures"]` loads them.
- `contract`: the contract of the ports, as test classes for storage adapters.

It requires pytest and Hypothesis: the extra `taskservice[testing]`.
"""

try:
    import hypothesis  # noqa: F401
    import pytest
except ImportError as error:
    raise ImportError(
        f"taskservice.testing needs {error.name}: pip install 'taskservice[testing]'",
        name=error.name,
    ) from None

from taskservice.adapters.memory import InMemoryStorage
from taskservice.testing.api_client import ApiClient
from taskservice.testing.application import SECRET, ready_application, token_of
from taskservice.testing.clock import START, TickingClock
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks, tasks_of

__all__ = [
    "ADA",
    "BOB",
    "SECRET",
    "START",
    "ApiClient",
    "InMemoryStorage",
    "OpenTasks",
    "TickingClock",
    "ready_application",
    "tasks_of",
    "token_of",
]

# Before the import, so that a failed assertion shows the compared values.
pytest.register_assert_rewrite("taskservice.testing.contract")
