"""The base class of the contract: its fixtures, and warnings for tests that cannot run."""

import warnings
from inspect import getdoc
from typing import ClassVar

import pytest

from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.clock import TickingClock
from taskservice.testing.tasks import OpenTasks, tasks_of


class UntestedGuarantee(pytest.PytestWarning):
    """A test of the contract was skipped; the message says which guarantee is untested."""


class ContractBase:
    """A part of the contract. A subclass must define a fixture `open_workspace`.

    The fixture returns the port over an empty storage, and passes `clock` to the
    adapter. Set `takes_clock = False` for an adapter that takes no clock: tests
    that need it are skipped, each with an `UntestedGuarantee` warning.
    """

    takes_clock: ClassVar[bool] = True

    @pytest.fixture
    def open_tasks(self, open_workspace: OpenWorkspace) -> OpenTasks:
        """A function that opens the tasks of an owner."""
        return tasks_of(open_workspace)

    @pytest.fixture
    def clock(self, request: pytest.FixtureRequest) -> TickingClock:
        """The clock of the adapter, which tests may set."""
        if not self.takes_clock:
            guarantee, *_ = (getdoc(request.function) or "").splitlines()
            untested = (
                f"NOT TESTED, since the adapter takes no clock: {request.node.name}: {guarantee}"
            )
            warnings.warn(UntestedGuarantee(untested), stacklevel=1)
            pytest.skip(untested)
        return TickingClock()
