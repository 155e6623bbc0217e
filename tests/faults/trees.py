"""Whether what is there at one moment is whole: no reference to nothing, no tree in two lists."""

from collections.abc import Iterator, Sequence

from tests.faults.seen import Seen
from tests.faults.violations import Violation


def broken_trees(shown: Sequence[Seen]) -> Iterator[Violation]:
    """Yield what is wrong with the tasks and lists that are there at one moment."""
    there = {(seen.type, seen.user, seen.task): seen for seen in shown}
    for seen in shown:
        parent = there.get(("task", seen.user, seen.parent_id or ""))
        if seen.list_id and ("list", seen.user, seen.list_id) not in there:
            yield Violation("dangling", seen.task, f"in no list: {seen}")
        if seen.parent_id and parent is None:
            yield Violation("dangling", seen.task, f"under no task: {seen}")
        if parent and parent.list_id != seen.list_id:
            yield Violation("split", seen.task, f"not in the list of its parent: {seen}, {parent}")
    parents = {seen.task: seen.parent_id for seen in shown if seen.parent_id}
    for task in parents:
        if _is_under_itself(task, parents):
            yield Violation("cycle", task, f"is under itself: {parents}")


def _is_under_itself(task: str, parents: dict[str, str]) -> bool:
    above = [task]
    while above[-1] in parents and parents[above[-1]] not in above:
        above.append(parents[above[-1]])
    return parents.get(above[-1]) == task
