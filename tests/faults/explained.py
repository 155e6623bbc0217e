"""Whether each change of the log was asked for, and each write that was acknowledged is there.

Clients send the name of an operation as the id of its request, which the log keeps.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.faults.history import CREATING, REMOVALS, Kind, Operation
from tests.faults.seen import Log, LoggedChange
from tests.faults.violations import Violation

MAKERS: Mapping[str, set[Kind]] = {
    "created": {"create", "create_list", "complete", "skip", "undo"},
    "removed": {*REMOVALS, "delete_list", "complete", "undo"},
    "restored": {"restore", "undo"},
    "purged": {"purge", "purge_all"},
}
"""What may have made a change of a type; one that closes a task may create its successor."""
EDITS: set[Kind] = {
    *("update", "complete", "skip", "move", "change_list", "change_parent", "change_recurrence"),
    *(*REMOVALS, "delete_list", "undo"),
}
"""What may have made any other change. A removal changes the tasks below."""
MAKES: Mapping[Kind, str] = {
    **dict.fromkeys(CREATING, "created"),
    **dict.fromkeys(REMOVALS, "removed"),
    "delete_list": "removed",
    "update": "changed",
    "restore": "restored",
    "purge": "purged",
}
"""What must have been done to its task by an operation that was acknowledged."""
ONCE = {"created", "removed", "restored", "purged"}


def unexplained(operations: Sequence[Operation], log: Log) -> Iterator[Violation]:
    """Yield each change that nobody asked for, or that was refused, or that was made twice."""
    by_request: dict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        if one.outcome != "fail":
            by_request[one.request].append(one)
    for change in log.changes:
        makers = by_request[change.request or ""]
        if not makers:
            yield Violation("applied", change.task, f"refused, or asked for by nobody: {change}")
        elif not any(_may_have_made(one, change) for one in makers):
            yield Violation("applied", change.task, f"{makers} have made {change}")
    made = Counter((one.request, one.task, one.name) for one in log.changes if one.name in ONCE)
    for (request, task, name), times in made.items():
        if times > 1:
            yield Violation("doubled", task, f"{request} has {name} it {times} times")


def _may_have_made(one: Operation, change: LoggedChange) -> bool:
    """Tell whether an operation, or a command of a batch, may have made a change."""
    is_other = one.batch and one.kind == "update" and one.task not in {None, change.task}
    is_maker = one.kind in MAKERS.get(change.name, EDITS) and not is_other
    return is_maker and one.user == change.user


def unlogged(operations: Sequence[Operation], log: Log) -> Iterator[Violation]:
    """Yield what was acknowledged, or shown of a history, and is not in the log."""
    made: dict[tuple[str | None, str, str], set[int]] = defaultdict(set)
    for one in log.changes:
        made[one.request, one.task, one.name].add(one.version)
    logged = {(one.task, one.sequence, one.type, one.version) for one in log.changes}
    for asked in operations:
        if asked.outcome == "ok" and asked.kind in MAKES:
            task = asked.task or asked.seen[0].task
            versions = made[asked.request, task, MAKES[asked.kind]]
            if not versions:
                yield Violation("unlogged", task, f"it was acknowledged: {asked}")
            elif asked.seen and asked.seen[0].version not in versions:
                how = f"the log has {versions}, heard {asked.seen[0]}"
                yield Violation("misanswered", asked.name, how)
        for shown in asked.changes:
            if (asked.task, shown.sequence, shown.type, shown.version) not in logged:
                yield Violation("unlogged", asked.task or "", f"a history had it: {shown}")


def broken_undos(operations: Sequence[Operation], log: Log) -> Iterator[Violation]:
    """Yield each undo that has replaced another value than that which the change had left."""
    undos = {one.name: one for one in operations if one.kind == "undo"}
    of_task: dict[str, list[LoggedChange]] = defaultdict(list)
    for change in log.changes:
        of_task[change.task].append(change)
    for change in log.changes:
        undo = undos.get(change.request or "")
        if undo is not None and undo.task == change.task and change.previous:
            for name in undo.fields:
                if name in change.previous and _is_overwritten(name, undo, change, of_task):
                    how = f"{undo.name} has overwritten {name} by {change}"
                    yield Violation("lost", change.task, how)


def _is_overwritten(
    name: str, undo: Operation, change: LoggedChange, of_task: Mapping[str, list[LoggedChange]]
) -> bool:
    """Tell whether a field was changed again before an undo of a change has set it back."""
    later = [one for one in of_task[change.task] if one.sequence > (undo.sequence or 0)]
    replaced = [one.previous[name] for one in later if one.previous and name in one.previous]
    return bool(change.previous and change.previous[name] != replaced[0])
