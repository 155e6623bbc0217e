"""For tests of what is built on the service, or under it. `docs/adapters.md` shows both.

- `ready_application`: the application over a home for tasks, in memory unless
  another is given, with a secret that this process alone knows; `token_of` a
  user, and a `Caller` with a token.
- `InMemoryTasks`, `TickingClock`, `ADA`, `BOB`: a home, a clock that can be set, two owners.
- `fixtures`: all of that for pytest; `pytest_plugins = ["taskservice.testing.fixtures"]` loads it.
- `contract`: the promises of the ports, as test classes for whoever writes an adapter.

Needs pytest and Hypothesis: the extra `taskservice[testing]`.
"""

try:
    import hypothesis  # noqa: F401
    import pytest
except ImportError as error:
    raise ImportError(
        f"taskservice.testing needs {error.name}: pip install 'taskservice[testing]'",
        name=error.name,
    ) from None

from taskservice.adapters.memory import InMemoryTasks
from taskservice.testing.application import SECRET, ready_application, token_of
from taskservice.testing.caller import Caller
from taskservice.testing.clock import START, TickingClock
from taskservice.testing.owners import ADA, BOB

__all__ = [
    "ADA",
    "BOB",
    "SECRET",
    "START",
    "Caller",
    "InMemoryTasks",
    "TickingClock",
    "ready_application",
    "token_of",
]

# Before they are imported, so that an assertion of theirs that fails shows what it compared.
pytest.register_assert_rewrite("taskservice.testing.contract")
