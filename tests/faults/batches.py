"""Whether a batch is done as a whole: together, in one place of the log, and told as it is.

What must be done by a batch that is done is certain of all commands of an atomic one, and in
mode `each` of those that nothing can refuse: creations in the inbox, under no other task.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from tests.faults.explained import MAKES
from tests.faults.history import SNAPSHOTS, Operation
from tests.faults.placements import removals
from tests.faults.seen import Log, Seen
from tests.faults.timelines import THE_END, FinalState, Timelines
from tests.faults.violations import Violation

Commands = dict[str, list[Operation]]
"""By the name of each batch, its commands that must be done if it is done."""


def broken_batches(
    operations: Sequence[Operation], by_task: Timelines, end: FinalState
) -> Iterator[Violation]:
    """Yield what is wrong with the batches."""
    batches = [one for one in operations if one.kind == "batch"]
    certain = _certain(operations, {one.name: one for one in batches})
    for one in batches:
        yield from _answer(one)
    if end.log:
        yield from _scattered(batches, end.log)
        yield from _halves(certain, end.log)
    snapshots = [one for one in operations if one.kind in SNAPSHOTS and one.outcome == "ok"]
    for snapshot in snapshots:
        yield from _parts(certain, snapshot.name, snapshot.seen, snapshot.ended, by_task)
    yield from _parts(certain, THE_END, end.rows, inf, by_task)


def _certain(operations: Sequence[Operation], batches: dict[str, Operation]) -> Commands:
    found: Commands = defaultdict(list)
    for one in operations:
        batch = batches.get(one.batch or "")
        if batch and batch.outcome != "fail" and (batch.mode == "atomic" or _is_plain(one)):
            found[batch.name].append(one)
    return found


def _is_plain(one: Operation) -> bool:
    return one.kind == "create" and one.list_id is None and one.parent_id is None


def _answer(batch: Operation) -> Iterator[Violation]:
    """Yield unless the answer has a result for each command, and tells whether it was done."""
    if batch.attempts[-1].status != 200:
        return
    statuses = [status for status, _ in batch.results]
    if len(statuses) != len(batch.commands) or batch.applied == batch.dry_run:
        yield Violation("misanswered", batch.name, f"{batch.applied}, {statuses}: {batch}")
    if batch.mode == "atomic" and any(status >= 300 for status in statuses):
        yield Violation("misanswered", batch.name, f"atomic, and in part refused: {statuses}")


def _scattered(batches: Sequence[Operation], log: Log) -> Iterator[Violation]:
    """Yield each batch whose changes do not stand next to one another."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for change in log.changes:
        numbers[change.request or ""].append(change.sequence)
    for batch in batches:
        found = numbers[batch.name]
        if found and found != [*range(found[0], found[0] + len(found))]:
            yield Violation("scattered", batch.name, f"its changes have the numbers {found}")


def _halves(certain: Commands, log: Log) -> Iterator[Violation]:
    """Yield each batch of which the log has a change, but not those of all its commands."""
    made = {(change.request, change.task, change.name) for change in log.changes}
    done = {change.request for change in log.changes}
    created = Counter(change.request for change in log.changes if change.name == "created")
    for batch, commands in certain.items():
        if batch in done:
            creations = [one for one in commands if one.kind == "create"]
            if created[batch] < len(creations):
                how = f"the log has {created[batch]} of {len(creations)} creations"
                yield Violation("partial", batch, how)
            for one in commands:
                logged = (batch, one.task, MAKES.get(one.kind))
                if one.task and one.kind in MAKES and logged not in made:
                    yield Violation("partial", batch, f"the log misses {one}")


def _parts(
    certain: Commands, by: str, shown: Sequence[Seen], ended: float, by_task: Timelines
) -> Iterator[Violation]:
    """Yield each batch of which a snapshot has some new tasks, and lacks others without reason."""
    there = {seen.origin: seen.task for seen in shown if not seen.is_successor}
    for batch in {name.rpartition(".")[0] for name in there} & certain.keys():
        for one in certain[batch]:
            if _is_plain(one) and one.name not in there and not _may_be_gone(one, ended, by_task):
                yield Violation("partial", batch, f"{by} has other tasks of it, and not {one.name}")


def _may_be_gone(creation: Operation, ended: float, by_task: Timelines) -> bool:
    task = by_task.made.get(creation.name)
    return task is not None and any(one.began < ended for one in removals(by_task[task], by_task))
