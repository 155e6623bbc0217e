"""Whether a history can have come from a service that keeps its promises.

Checked, with the end (the rows as the database has them) as one more reading:

- **lost**: a task whose creation was acknowledged, or that was shown, is there
  until somebody may have deleted it; its version counts every acknowledged
  update; what it holds in the end is no older than what was acknowledged; it
  stays where it was moved to; a task with a rule without an end is not closed without
  a successor, and undo removes none that was changed;
- **stale**: a title, a completion, a list, a parent and a recurrence that are shown were written
  by somebody, and no acknowledged write of another value lies between that and
  the reading;
- **applied**: nothing shows of a write that was refused, `not_applied` or
  never sent; a key whose attempts all failed so far replays nothing;
- **doubled**: one operation makes at most one task, and one version of it,
  however often it was sent; a list shows a task once; a task that is closed makes one
  successor, and in a series at most one open task recurs: in each snapshot;
- **torn**: a version has one content, what was written together is shown together
  (title, due, time zone, priority, labels; status and completion), and after a
  version no lower one is shown; no sub-task has the place of a parent, and no task
  is out of a list, that is still there; a closed task and its successor are there
  together, and the successor is a copy; no task that recurs is in a tree;
- **dangling**, **split**, **cycle**: no task is in a list or under a task that is not
  there, in another list than its parent, or under itself: in each snapshot;
- **resurrected**: what is gone stays gone;
- **misanswered**: an acknowledged write is answered with what was asked for;
- **missed**: a client that follows the changes has in the end what is there, also from a
  token of long ago; and at each last page what was there then, like a snapshot;
- **unlogged**: each version that is there or was shown has a change in the log, and each
  removal; **applied** and **doubled**: it has no other, and each once;
- **gap**: the numbers of a user's log are 1, 2, 3 … up to the head; **misordered**: what was
  there before another change has the lower number;
- **receipt**: each acknowledged key has its receipt, for the right task;
- **disagreed**: in the end the rows, the lists and each `get` are the same;
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

from tests.faults import placements, series
from tests.faults.change_log import broken_log
from tests.faults.history import EXPECTED, PLACING, SNAPSHOTS, Kind, Operation
from tests.faults.order import lost_moves
from tests.faults.seen import Seen
from tests.faults.timelines import LISTINGS, FinalState, Timeline, Timelines, timelines
from tests.faults.trees import broken_trees
from tests.faults.versions import counts
from tests.faults.violations import Violation, is_superseded, kind_at

CREATIONS = {"create", "create_list"}
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
    operations = list(history)
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
        *_creations(operations, by_task),
        *_idempotency_records(operations, end),
        *broken_trees(end.rows),
        *series.broken_series(end.rows),
        *_agreement(end),
        *(found for copy in end.copied for found in missed(*copy, end.rows)),
        *(broken_log(end.rows, end.log, by_task) if end.log else ()),
    ]


def _answers(one: Operation) -> Iterator[Violation]:
    for number, attempt in enumerate(one.attempts):
        expected = EXPECTED | ({422} if one.kind in PLACING else set())
        if attempt.status and attempt.status not in expected:
            yield Violation("unexpected", one.name, f"{one.kind} was answered {attempt.status}")
        before = {earlier.outcome for earlier in one.attempts[:number]}
        if attempt.replayed and before <= {"fail"}:
            yield Violation("applied", one.name, "replays what was said to have failed")


def _matching_response(one: Operation) -> Iterator[Violation]:
    if one.outcome != "ok" or one.kind in {"delete", "delete_list", *SNAPSHOTS, *LISTINGS}:
        return
    for field in ("task", "title", "completed", *WRITES.get(one.kind, ())):
        value = one.name if field == "origin" else getattr(one, field)
        is_asked = value is not None or field in WRITES.get(one.kind, ())
        if is_asked and getattr(one.seen[0], field) != value:
            yield Violation("misanswered", one.name, f"asked for {value}, heard {one.seen[0]}")
    if one.kind == "skip" and one.seen[0].status != "cancelled":
        yield Violation("misanswered", one.name, f"skipped, heard {one.seen[0]}")


def _whole(one: Operation) -> Iterator[Violation]:
    if one.kind in SNAPSHOTS:
        yield from broken_trees(one.seen)
        yield from series.broken_series(one.seen)


def _shown(one: Operation) -> Iterator[Violation]:
    for task, times in Counter(seen.task for seen in one.seen).items():
        if times > 1:
            yield Violation("doubled", task, f"{one.name} shows it {times} times")
    for seen in one.seen:
        if seen.user != one.user:
            yield Violation("leaked", seen.task, f"{one.name} shows it to {one.user}")


def _contents(timeline: Timeline) -> Iterator[Violation]:
    contents: dict[int, set[tuple[object, ...]]] = defaultdict(set)
    for view in timeline.views:
        seen = view.seen
        state = (seen.title, seen.completed, seen.status, *seen.recurring)
        content = (*state, *seen.group, seen.position)
        contents[seen.version].add(content)
    for version, found in contents.items():
        if len(found) > 1:
            yield Violation("torn", timeline.task, f"version {version} is {found}")
    for view in timeline.views:
        if not view.seen.is_planned:
            yield Violation("torn", timeline.task, f"of two writes: {view}")


def _order(timeline: Timeline) -> Iterator[Violation]:
    ended = sorted(timeline.views, key=lambda view: view.ended)
    highest, passed = 0, 0
    for view in sorted(timeline.views, key=lambda view: view.began):
        while ended[passed].ended < view.began:
            highest = max(highest, ended[passed].seen.version)
            passed += 1
        if view.seen.version < highest:
            yield Violation(kind_at(view, "torn"), timeline.task, f"{view} is after {highest}")


def _titles(timeline: Timeline) -> Iterator[Violation]:
    yield from _register(timeline, ("create", "create_list", "update"), "title")


def _completions(timeline: Timeline) -> Iterator[Violation]:
    yield from _register(timeline, ("create", "create_list", "complete", "skip"), "completed")


def _register(timeline: Timeline, kinds: tuple[Kind, ...], field: str) -> Iterator[Violation]:
    """Compare what was shown of one field with what was written to it."""
    possible = timeline.done_to(*kinds)
    for view in timeline.views:
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
    tried = any(one.kind in kinds and getattr(one, field) == value for one in timeline.writes)
    return "applied" if tried else "stale"


def _presence(timeline: Timeline) -> Iterator[Violation]:
    for absence in timeline.absences:
        if timeline.known < absence.began and timeline.endangered >= absence.ended:
            yield Violation("lost", timeline.task, f"{absence}, and nobody deleted it")
    for view in timeline.views:
        if timeline.gone < view.began:
            yield Violation("resurrected", timeline.task, f"gone at {timeline.gone}: {view}")


def _creations(operations: Sequence[Operation], by_task: Timelines) -> Iterator[Violation]:
    made: dict[str, set[str]] = defaultdict(set)
    for timeline in by_task.values():
        for view in timeline.views:
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
    tasks = [seen for seen in end.rows if seen.type == "task"]
    views = {"lists": (end.listed, end.rows), "get": (end.got, tasks)}
    for name, (view, rows) in views.items():
        for seen in _differences(view, rows):
            yield Violation("disagreed", seen.task, f"{name} and rows: {seen}")


def missed(user: str, copy: Sequence[Seen], rows: Sequence[Seen]) -> Iterator[Violation]:
    """Yield what a client that has followed the changes of a user has otherwise than the rows."""
    for seen in _differences(copy, [row for row in rows if row.user == user]):
        yield Violation("missed", seen.task, f"copy and rows: {seen}")


def _differences(one: Iterable[Seen], other: Iterable[Seen]) -> Iterable[Seen]:
    return (Counter(one) - Counter(other)) + (Counter(other) - Counter(one))


OPERATION_RULES: tuple[Callable[[Operation], Iterator[Violation]], ...] = (
    *(_answers, _matching_response, _shown, _whole),
)
TIMELINE_RULES: tuple[Callable[[Timeline], Iterator[Violation]], ...] = (
    *(_contents, _order, _titles, _completions, _presence),
)
RELATION_RULES: tuple[Callable[[Timeline, Timelines], Iterator[Violation]], ...] = (
    *(counts, placements.references, placements.parents, placements.lists),
    *(series.recurrences, series.successors, series.predecessors),
)
