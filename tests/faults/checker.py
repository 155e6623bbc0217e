"""Whether a history can have come from a service that keeps its promises.

Checked, with the end (the rows as the database has them) as one more reading:

- **lost**: a task whose creation was acknowledged, or that was shown, is there
  until somebody may have deleted it, and then in the trash until somebody may have restored
  or purged it; one that was restored is among the tasks; its version counts every acknowledged
  update and restoration; what it holds in the end is no older than what was acknowledged, and
  no undo has overwritten a later edit; its changes keep what it was; it
  stays where it was moved to; a task with a rule without an end is not closed without
  a successor, and undo removes none that was changed;
- **stale**: a title, a completion, a list, a parent and a recurrence that are shown were written
  by somebody, and no acknowledged write of another value lies between that and
  the reading;
- **applied**: nothing shows of a write that was refused, `not_applied` or
  never sent; a key whose attempts all failed so far replays nothing;
- **doubled**: one operation makes at most one task, and one version of it,
  however often it was sent; a list shows a task once; no task is in the trash and among the
  tasks; a task that is closed makes one
  successor, and in a series at most one open task recurs: in each snapshot;
- **torn**: a version has one content, what was written together is shown together
  (title, due, time zone, priority, labels; status and completion), and after a
  version no lower one is shown; no sub-task has the place of a parent, and no task
  is out of a list, that is still there; a closed task and its successor are there
  together, and the successor is a copy; no task that recurs is in a tree;
- **dangling**, **split**, **cycle**: no task is in a list or under a task that is not
  there, in another list than its parent, or under itself: in each snapshot;
- **resurrected**: what is in the trash stays there until somebody may have restored it, and
  what was purged stays gone; no list shows the trash;
- **unscrubbed**: the log has no value of what is gone for good;
- **misanswered**: an acknowledged write is answered with what was asked for, and with
  `If-Match` with the next version;
- **missed**: a client that follows the changes has in the end what is there, also from a
  token of long ago; and at each last page what was there then, like a snapshot;
- **unlogged**: each version that is there or was shown has a change in the log, and each
  removal and purge, made by the operation that asked for it; **applied** and **doubled**: it
  has no other, and each once;
- **gap**: the numbers of a user's log are 1, 2, 3 … up to the head; **misordered**: what was
  there before another change has the lower number;
- **partial**: of an atomic batch all commands are done or none is, of any other all that
  nothing can refuse; **scattered**: its changes stand next to one another in the log;
  **applied**: nothing is left of a dry run;
- **receipt**: each acknowledged key has its receipt, for the right task;
- **disagreed**: in the end the rows, the lists and each `get` are the same, and the history of
  each task is its part of the log;
- **leaked**: nobody is shown a task of another user;
- **unexpected**: no answer but 2xx, 404, 409, 412, 503 and 507; 422 where another task
  or list is named.

It is sound: what a linearizable service can answer passes. An operation of
unknown outcome may happen at any time after it was sent, or never; one that
was sent several times under a key, between the first sending and the answer.
Only what does not overlap in time is put in order.

Not checked: whether a refusal other than 404 was called for; the order of a list,
but for what was moved; descriptions (they hold the origin) and times; of several attempts under
a key, which of them told the truth where one of them has no known outcome.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from tests.faults import placements, presence, series
from tests.faults.batches import broken_batches
from tests.faults.change_log import broken_log, misordered
from tests.faults.commands import with_commands
from tests.faults.explained import broken_undos, unexplained, unlogged
from tests.faults.history import CREATING, EXPECTED, PLACING, SNAPSHOTS, Kind, Operation
from tests.faults.order import lost_moves
from tests.faults.seen import TRASHED, Log, Seen, live
from tests.faults.timelines import LISTINGS, FinalState, Timeline, Timelines, timelines
from tests.faults.trees import broken_trees
from tests.faults.versions import CERTAIN, counts
from tests.faults.violations import Violation, is_superseded, kind_at

CREATIONS = {*CREATING}
SILENT: set[Kind] = {
    *("delete", "delete_tree", "delete_list", "purge", "purge_all", "history", "batch"),
    *SNAPSHOTS,
    *LISTINGS,
}
"""The kinds that are answered with no task, or with several."""
MOVING = {"task.created", "task.restored", "task.removed"}
"""The changes whose undo moves a task to the trash or back."""
WRITES: dict[Kind, tuple[str, ...]] = {
    "create": ("origin", "parent_id", "recurrence"),
    "create_list": ("origin",),
    "change_list": ("list_id",),
    "change_parent": ("parent_id",),
    "change_recurrence": ("recurrence",),
}
"""What an answer shows as it was asked for, null too."""


def check(history: Iterable[Operation], end: FinalState) -> list[Violation]:
    """Return what is wrong with `history`, which has led to `end`."""
    operations = with_commands(history, end)
    by_task = timelines(operations, end)
    return [
        *(found for one in operations for rule in OPERATION_RULES for found in rule(one)),
        *(
            found
            for timeline in by_task.values()
            for rule in TIMELINE_RULES
            for found in rule(timeline)
        ),
        *(
            found
            for timeline in [*by_task.values()]
            for rule in RELATION_RULES
            for found in rule(timeline, by_task)
        ),
        *lost_moves(operations, by_task, end),
        *broken_batches(operations, by_task, end),
        *_creations(operations, by_task),
        *_idempotency_records(operations, end),
        *_whole_snapshot(end.rows),
        *_agreement(end),
        *(found for copy in end.copied for found in missed(*copy, end.rows)),
        *(_log(operations, end, end.log, by_task) if end.log else ()),
    ]


def _log(
    operations: Sequence[Operation], end: FinalState, log: Log, by_task: Timelines
) -> Iterator[Violation]:
    """Yield what is wrong with the log, and with the histories beside it."""
    yield from broken_log(end.rows, log, by_task)
    yield from misordered(operations, log, by_task)
    yield from unexplained(operations, log)
    yield from unlogged(operations, log)
    yield from broken_undos(operations, log)
    for task, changes in end.histories.items():
        logged = [one for one in log.changes if one.task == task]
        expected = [(one.sequence, one.type, one.version, one.previous) for one in logged]
        if [*reversed(expected)] != [*map(tuple, changes)]:
            yield Violation("disagreed", task, f"history and log: {changes}, {expected}")


def _answers(one: Operation) -> Iterator[Violation]:
    for number, attempt in enumerate(one.attempts):
        expected = EXPECTED | ({422} if one.kind in PLACING or one.batch else set())
        if attempt.status and attempt.status not in expected:
            yield Violation("unexpected", one.name, f"{one.kind} was answered {attempt.status}")
        before = {earlier.outcome for earlier in one.attempts[:number]}
        if attempt.replayed and before <= {"fail"}:
            yield Violation("applied", one.name, "replays what was said to have failed")


def _matching_response(one: Operation) -> Iterator[Violation]:
    is_silent = one.kind in SILENT or (one.batch and one.kind == "complete")
    if one.outcome != "ok" or is_silent:
        return
    if one.kind == "undo":
        yield from _undone(one)
    if one.version is not None and one.seen[0].version not in _next_versions(one):
        yield Violation("misanswered", one.name, f"of version {one.version}, heard {one.seen[0]}")
    for field in ("task", "title", "completed", *WRITES.get(one.kind, ())):
        value = one.name if field == "origin" else getattr(one, field)
        is_asked = value is not None or field in WRITES.get(one.kind, ())
        if is_asked and getattr(one.seen[0], field) != value:
            yield Violation("misanswered", one.name, f"asked for {value}, heard {one.seen[0]}")
    if one.kind == "skip" and one.seen[0].status != "cancelled":
        yield Violation("misanswered", one.name, f"skipped, heard {one.seen[0]}")


def _next_versions(one: Operation) -> set[int]:
    """Return the versions that a task may have after a write to one version of it."""
    next_version = (one.version or 0) + 1
    return {next_version} if one.kind in CERTAIN else {next_version, next_version - 1}


def _undone(one: Operation) -> Iterator[Violation]:
    """Yield unless an undo has moved its task, or set the fields back that nothing else sets."""
    shown = one.seen[0]
    is_moved = (shown.type == TRASHED) == (one.may_trash and not one.may_restore)
    values = {name: getattr(one, name) for name in one.fields if name in {"title", "completed"}}
    if one.undone in MOVING and not is_moved:
        yield Violation("misanswered", one.name, f"has undone {one.undone}, heard {shown}")
    if any(getattr(shown, name) != value for name, value in values.items()):
        yield Violation("misanswered", one.name, f"asked for {values}, heard {shown}")


def _whole(one: Operation) -> Iterator[Violation]:
    if one.kind in SNAPSHOTS:
        yield from _whole_snapshot(one.seen)


def _whole_snapshot(seen: Sequence[Seen]) -> Iterator[Violation]:
    yield from broken_trees(live(seen))
    yield from series.broken_series(live(seen))
    for task, times in Counter(one.task for one in seen).items():
        if times > 1:
            yield Violation("doubled", task, f"it is there {times} times, or in the trash too")


def _shown(one: Operation) -> Iterator[Violation]:
    for task, times in Counter(seen.task for seen in one.seen).items():
        if times > 1 and one.kind not in SNAPSHOTS:
            yield Violation("doubled", task, f"{one.name} shows it {times} times")
    for seen in one.seen:
        if seen.user != one.user:
            yield Violation("leaked", seen.task, f"{one.name} shows it to {one.user}")


def _contents(timeline: Timeline) -> Iterator[Violation]:
    contents: dict[int, set[tuple[object, ...]]] = defaultdict(set)
    for view in timeline.contents:
        seen = view.seen
        state = (seen.title, seen.completed, seen.status, *seen.recurring)
        content = (*state, *seen.group, seen.position)
        contents[seen.version].add(content)
    for version, found in contents.items():
        if len(found) > 1:
            yield Violation("torn", timeline.task, f"version {version} is {found}")
    for view in timeline.contents:
        if not view.seen.is_planned:
            yield Violation("torn", timeline.task, f"of two writes: {view}")


def _order(timeline: Timeline) -> Iterator[Violation]:
    ended = sorted(timeline.contents, key=lambda view: view.ended)
    highest, passed = (0, 0), 0
    for view in sorted(timeline.contents, key=lambda view: view.began):
        while ended[passed].ended < view.began:
            highest = max(highest, ended[passed].seen.step)
            passed += 1
        if view.seen.step < highest:
            yield Violation(kind_at(view, "torn"), timeline.task, f"{view} is after {highest}")


def _titles(timeline: Timeline) -> Iterator[Violation]:
    yield from _register(timeline, ("create", "create_list", "update"), "title")


def _completions(timeline: Timeline) -> Iterator[Violation]:
    yield from _register(timeline, ("create", "create_list", "complete", "skip"), "completed")


def _register(timeline: Timeline, kinds: tuple[Kind, ...], field: str) -> Iterator[Violation]:
    """Compare what was shown of one field with what was written to it."""
    possible = timeline.done_to(*kinds, undoing=field)
    for view in timeline.contents:
        value = getattr(view.seen, field)
        sources = [one for one in possible if getattr(one, field) == value]
        sources = [one for one in sources if one.began < view.ended]
        if not sources:
            yield Violation(
                _unwritten(timeline, kinds, field, value), timeline.task, f"{field}: {view}"
            )
        elif all(is_superseded(one, possible, view) for one in sources):
            yield Violation(kind_at(view, "stale"), timeline.task, f"{field} is older: {view}")


def _unwritten(timeline: Timeline, kinds: tuple[Kind, ...], field: str, value: object) -> str:
    tried = any(
        (one.kind in kinds or field in one.fields) and getattr(one, field) == value
        for one in timeline.writes
    )
    return "applied" if tried else "stale"


def _creations(operations: Sequence[Operation], by_task: Timelines) -> Iterator[Violation]:
    made: dict[str, set[str]] = defaultdict(set)
    for timeline in by_task.values():
        for view in timeline.contents:
            if not view.seen.is_successor:
                made[view.seen.origin].add(timeline.task)
    for one in operations:
        if one.kind in CREATIONS and one.outcome == "fail" and made[one.name]:
            yield Violation("applied", one.name, f"made {made[one.name]}")
        if one.kind in CREATIONS and len(made[one.name]) > 1:
            yield Violation("doubled", one.name, f"made {made[one.name]}")


def _idempotency_records(operations: Sequence[Operation], end: FinalState) -> Iterator[Violation]:
    for one in operations:
        if one.key is None:
            continue
        place = (one.user, one.key)
        if one.outcome == "fail" and place in end.idempotency_records:
            yield Violation("applied", one.name, "failed, and left a receipt")
        if one.outcome == "ok":
            task = one.seen[0].task if one.seen else None
            if place not in end.idempotency_records or end.idempotency_records[place] != task:
                yield Violation(
                    "receipt", one.name, f"{task}, not {end.idempotency_records.get(place)}"
                )


def _agreement(end: FinalState) -> Iterator[Violation]:
    tasks = [seen for seen in end.rows if seen.type in {"task", TRASHED}]
    views = {"lists": (end.listed, end.rows), "get": (end.got, tasks)}
    for name, (view, rows) in views.items():
        for seen in _differences(view, rows):
            yield Violation("disagreed", seen.task, f"{name} and rows: {seen}")


def missed(user: str, copy: Sequence[Seen], rows: Sequence[Seen]) -> Iterator[Violation]:
    """Yield what a client that has followed the changes of a user has otherwise than the rows."""
    for seen in _differences(copy, [row for row in live(rows) if row.user == user]):
        yield Violation("missed", seen.task, f"copy and rows: {seen}")


def _differences(one: Iterable[Seen], other: Iterable[Seen]) -> Iterable[Seen]:
    return (Counter(one) - Counter(other)) + (Counter(other) - Counter(one))


OPERATION_RULES: tuple[Callable[[Operation], Iterator[Violation]], ...] = (
    *(_answers, _matching_response, _shown, _whole),
)
TIMELINE_RULES: tuple[Callable[[Timeline], Iterator[Violation]], ...] = (
    *(_contents, _order, _titles, _completions),
)
RELATION_RULES: tuple[Callable[[Timeline, Timelines], Iterator[Violation]], ...] = (
    *(presence.presences, presence.references),
    *(counts, placements.parents, placements.lists),
    *(series.recurrences, series.successors, series.predecessors),
)
