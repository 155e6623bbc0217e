"""History: the state of a task that an earlier change left, computed backwards."""

from datetime import timedelta

from taskservice.core.changes import UNKNOWN_ORIGIN, DescribeChange, NumberedChange
from taskservice.core.history import load_values, state_at
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.testing import ADA, START

NEW_ID = TimeOrderedIds()
describe = DescribeChange(NEW_ID, UNKNOWN_ORIGIN)


def test_states_are_computed_from_the_present_one() -> None:
    """Each has its version and its time, and all fields as they were then."""
    first = Task.create(ADA, START, NEW_ID, NewTask(title="Buy milk", labels=("home",)))
    second = first.edit(START + timedelta(hours=1), title="Buy bread", labels=())
    third = second.complete(START + timedelta(hours=2))
    changes = [
        NumberedChange(7, describe.edit(second, third)),
        NumberedChange(4, describe.edit(first, second)),
        NumberedChange(2, describe.creation(first, START)),
    ]
    assert [state_at(third, changes[:n]) for n in (1, 2, 3)] == [third, second, first]


def test_a_field_that_is_not_known_is_passed_over() -> None:
    """As a later version may have logged one."""
    assert load_values({"title": "Buy milk", "mood": "good"}) == {"title": "Buy milk"}
