"""Changes: how they are described, what positions a log has, and what pruning keeps."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from taskservice.core.changes import (
    CLOCK_TOLERANCE,
    DescribeChange,
    LogState,
    Origin,
    Position,
    first_kept,
)
from taskservice.core.errors import SyncExpired
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.testing import ADA, START

HOUR = timedelta(hours=1)
ORIGIN = Origin("app", "request")
NEW_ID = TimeOrderedIds()
ID = UUID("01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11")
MARK = 0x98F40B8E1C6F2A11

describe = DescribeChange(NEW_ID, ORIGIN)


def new_task() -> Task:
    """Return a task."""
    return Task.create(ADA, START, NEW_ID, NewTask(title="Buy milk", labels=("home",)))


def test_a_creation_has_no_previous_values() -> None:
    """It has the version and the id of its entity, its own time, and its origin."""
    task = new_task()
    change = describe.creation(task, START + HOUR)
    assert change[1:] == ("task.created", "task", task.id, 1, START + HOUR, None, ORIGIN)
    assert change.id != task.id


def test_a_removal_is_never_before_the_last_change() -> None:
    """Whatever the clock says."""
    task = new_task().edit(START + HOUR, title="Buy bread")
    early, late = (describe.removal(task, START + n * HOUR) for n in (0, 2))
    assert early[1:] == ("task.removed", "task", task.id, 2, task.updated_at, None, ORIGIN)
    assert late.at == START + 2 * HOUR


def test_a_change_has_the_previous_values_of_what_changed() -> None:
    """As JSON values, and without the version and the time of the last change."""
    before = new_task()
    after = before.edit(START + HOUR, title="Buy bread", labels=())
    change = describe.edit(before, after)
    assert change[1:] == (
        *("task.changed", "task", before.id, 2, after.updated_at),
        *({"title": "Buy milk", "labels": ["home"]}, ORIGIN),
    )


@pytest.mark.parametrize(
    ("name", "before", "edits"),
    [
        ("changed", {}, {"title": "Buy bread"}),
        ("completed", {}, {"completed": True}),
        ("completed", {"status": "in-process"}, {"completed": True, "title": "Buy bread"}),
        ("cancelled", {}, {"status": "cancelled"}),
        ("cancelled", {"completed": True}, {"status": "cancelled"}),
        ("reopened", {"completed": True}, {"completed": False}),
        ("reopened", {"status": "cancelled"}, {"status": "needs-action"}),
        ("changed", {}, {"status": "in-process"}),
    ],
)
def test_the_type_says_what_happened(
    name: str, before: dict[str, object], edits: dict[str, object]
) -> None:
    """Completed, cancelled and reopened by the status, else changed."""
    task = Task.create(ADA, START, NEW_ID, NewTask(title="Buy milk")).edit(START, **before)
    assert describe.edit(task, task.edit(START + HOUR, **edits)).type == f"task.{name}"


def test_a_change_of_the_position_alone_is_a_move() -> None:
    """Of a task and of a list."""
    a_list = TaskList.create(ADA, START, NEW_ID, NewTaskList(name="Food"))
    for entity in (new_task(), a_list):
        moved = entity.placed(START + HOUR, position="a")
        change = describe.edit(entity, moved)
        assert change.type == f"{entity.type_name}.moved"
        assert change.previous == {"position": entity.position}


def test_a_position_has_the_last_8_bytes_of_the_id() -> None:
    """Without an id the mark is 0."""
    assert Position.of(3, ID) == (3, MARK)
    assert Position.of(3, None) == (3, 0)


EMPTY = LogState(0, None, None)
FORGOTTEN = LogState(6, None, None)
WHOLE = LogState(9, 1, Position(9, MARK))
PRUNED = LogState(9, 4, Position(9, MARK))
SEEDED = LogState(3, 2, Position(3, MARK))


@pytest.mark.parametrize(
    ("log", "position", "found", "is_known"),
    [
        (WHOLE, Position(5, MARK), ID, True),
        (WHOLE, Position(5, MARK ^ 1), ID, False),
        (WHOLE, Position(5, MARK), None, False),
        (WHOLE, Position(0, 0), None, True),
        (WHOLE, Position(1, 0), ID, False),
        (WHOLE, Position(9, 0), ID, False),
        (WHOLE, Position(0, MARK), None, False),
        (PRUNED, Position(0, 0), None, False),
        (PRUNED, Position(3, 0), None, True),
        (PRUNED, Position(4, 0), ID, False),
        (SEEDED, Position(1, 0), None, True),
        (SEEDED, Position(0, 0), None, False),
        (EMPTY, Position(0, 0), None, True),
        (EMPTY, Position(1, 0), None, False),
        (EMPTY, Position(1, MARK), None, False),
        (FORGOTTEN, Position(6, 0), None, True),
        (FORGOTTEN, Position(0, 0), None, False),
        (FORGOTTEN, Position(5, MARK), None, False),
    ],
)
def test_a_log_knows_its_changes_and_where_it_begins(
    log: LogState, position: Position, found: UUID | None, is_known: bool
) -> None:
    """A position with a mark needs that very change, one without is right before the oldest."""
    if is_known:
        log.require(position, found)
    else:
        with pytest.raises(SyncExpired):
            log.require(position, found)


def test_the_end_of_a_log_is_its_newest_change() -> None:
    """Without changes it is the number that was used last."""
    assert PRUNED.end == (9, MARK)
    assert FORGOTTEN.end == (6, 0)


OLDEST, NOW = START, START + 30 * 24 * HOUR
TOLERATED = NOW + CLOCK_TOLERANCE
MICROSECOND = timedelta(microseconds=1)

_kept = partial(first_kept, oldest=OLDEST, now=NOW)


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ([], 0),
        ([OLDEST], 1),
        ([OLDEST - HOUR], 1),
        ([OLDEST - HOUR] * 3, 3),
        ([OLDEST - HOUR, OLDEST - HOUR, NOW], 2),
        ([OLDEST - HOUR, OLDEST - MICROSECOND, OLDEST, NOW], 2),
        ([OLDEST - HOUR, OLDEST - HOUR, TOLERATED, NOW], 2),
        ([OLDEST - HOUR, OLDEST - HOUR, TOLERATED + MICROSECOND, NOW], 3),
        ([NOW, datetime.min.replace(tzinfo=NOW.tzinfo), NOW], 1),
        ([TOLERATED + HOUR] * 2 + [OLDEST - HOUR], 1),
    ],
)
def test_pruning_keeps_the_change_before_the_first_recent_one(
    times: list[datetime], kept: int
) -> None:
    """The last one if none is recent. A wrong time removes nothing else and blocks nothing."""
    assert _kept(dict(enumerate(times, 1))) == kept


def test_pruning_goes_on_where_it_was() -> None:
    """Numbers begin where the log was pruned before."""
    times = {5: OLDEST - HOUR, 6: OLDEST - HOUR, 7: NOW}
    assert _kept(times) == 6
    assert _kept({6: OLDEST - HOUR, 7: NOW}) == 6
