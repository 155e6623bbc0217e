"""What the classes of the contract are given, and what they say where it is missing."""

import warnings
from inspect import getdoc
from typing import ClassVar

import pytest

from taskservice.testing.clock import TickingClock


class UntestedPromise(pytest.PytestWarning):
    """A promise of the contract that was not tested; the message names it."""


class ContractBase:
    """A part of the contract. Who tests an adapter gives it a fixture `open_tasks`.

    The fixture returns the port, with no task in it, and hands the adapter
    `clock`, which the tests set. `takes_clock = False` is for an adapter that
    cannot be given one: what needs it is skipped, each with an
    `UntestedPromise`, and no other test is.
    """

    takes_clock: ClassVar[bool] = True

    @pytest.fixture
    def clock(self, request: pytest.FixtureRequest) -> TickingClock:
        """The clock that the adapter reads, for the test to set."""
        if not self.takes_clock:
            promise, *_ = (getdoc(request.function) or "").splitlines()
            untested = f"NOT TESTED, as the adapter takes no clock: {request.node.name}: {promise}"
            warnings.warn(UntestedPromise(untested), stacklevel=1)
            pytest.skip(untested)
        return TickingClock()
