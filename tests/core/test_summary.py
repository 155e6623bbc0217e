"""Summaries: their limits. The numbers are tested with every adapter; see the contract."""

import pytest

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.errors import InvalidEntity
from taskservice.core.summary import LABELS_LIMIT, summarize
from taskservice.core.task import NewTask
from taskservice.testing import ADA, TickingClock


def test_a_summary_has_the_most_frequent_labels() -> None:
    """Up to a limit, equally frequent ones in their order."""
    names = [f"{number:03}" for number in range(LABELS_LIMIT + 1)]
    with InMemoryStorage(TickingClock()).open_workspace(ADA) as workspace:
        for name in [*names, names[-1]]:
            workspace.tasks.add(NewTask(title="Buy milk", labels=(name,)))
        found = summarize(workspace).labels
    assert [one.label for one in found] == [names[-1], *names[: LABELS_LIMIT - 1]]
    assert [one.open for one in found] == [2, *[1] * (LABELS_LIMIT - 1)]


def test_a_summary_needs_a_time_zone_that_is_known() -> None:
    """The error names it."""
    with (
        InMemoryStorage(TickingClock()).open_workspace(ADA) as workspace,
        pytest.raises(InvalidEntity) as caught,
    ):
        summarize(workspace, "Mars/Phobos")
    assert [one.field for one in caught.value.errors] == ["time_zone"]
