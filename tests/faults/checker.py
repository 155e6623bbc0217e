"""Whether a history can have come from a service that keeps its promises.

Checked, with the end (the rows as the database has them) as one more reading:

- **lost**: a task whose creation was acknowledged, or that was shown, is there
  until somebody may have deleted it; its version counts every acknowledged
  update; what it holds in the end is no older than what was acknowledged;
- **stale**: a title and a completion that are shown were written by somebody,
  and no acknowledged write of another value lies between that and the reading;
- **applied**: nothing shows of a write that was refused, `not_applied` or
  never sent; a key whose attempts all failed so far replays nothing;
- **doubled**: one operation makes at most one task, and one version of it,
  however often it was sent; a list shows a task once;
- **torn**: a version has one content, what was written together is shown together
  (title, due, time zone, priority, labels; status and completion), and after a
  version no lower one is shown;
- **resurrected**: what is gone stays gone;
- **misanswered**: an acknowledged write is answered with what was asked for;
- **receipt**: each acknowledged key has its receipt, for the right task;
- **disagreed**: in the end the rows, the lists and each `get` are the same;
- **leaked**: nobody is shown a task of another user;
- **unexpected**: no answer but 2xx, 404, 409, 412, 503 and 507.

It is sound: what a linearizable service can answer passes. An operation of
unknown outcome may happen at any time after it was sent, or never; one that
was sent several times under a key, between the first sending and the answer.
Only what does not overlap in time is put in order.

Not checked: whether a refusal other than 404 was called for; the order of a
list; descriptions (they hold the origin) and times; of several attempts under
a key, which of them told the truth where one of them has no known outcome.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.faults.history import EXPECTED, Operation, Seen
from tests.faults.timelines import THE_END, FinalState, Timeline, Timelines, View, timelines


class Violation(NamedTuple):
    """A broken promise: its kind, the operation or task that shows it, and how."""

    kind: str
    name: str
    how: str


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
        *_creations(operations, by_task),
        *_idempotency_records(operations, end),
        *_agreement(end),
    ]


def _answers(one: Operation) -> Iterator[Violation]:
    for number, attempt in enumerate(one.attempts):
        if attempt.status and attempt.status not in EXPECTED:
            yield Violation("unexpected", one.name, f"{one.kind} was answered {attempt.status}")
        before = {earlier.outcome for earlier in one.attempts[:number]}
        if attempt.replayed and before <= {"fail"}:
            yield Violation("applied", one.name, "replays what was said to have failed")


def _matching_response(one: Operation) -> Iterator[Violation]:
    if one.outcome != "ok" or one.kind in {"delete", "list"}:
        return
    asked = {"task": one.task, "title": one.title, "completed": one.completed}
    asked["origin"] = one.name if one.kind == "create" else None
    for field, value in asked.items():
        if value is not None and getattr(one.seen[0], field) != value:
            yield Violation("misanswered", one.name, f"asked for {value}, heard {one.seen[0]}")


def _shown(one: Operation) -> Iterator[Violation]:
    for task, times in Counter(seen.task for seen in one.seen).items():
        if times > 1:
            yield Violation("doubled", task, f"{one.name} shows it {times} times")
    for seen in one.seen:
        if seen.user != one.user:
            yield Violation("leaked", seen.task, f"{one.name} shows it to {one.user}")


def _contents(timeline: Timeline) -> Iterator[Violation]:
    contents: dict[int, set[tuple[str, bool]]] = defaultdict(set)
    for view in timeline.views:
        contents[view.seen.version].add((view.seen.title, view.seen.completed))
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
            yield Violation(_kind(view, "torn"), timeline.task, f"{view} is after {highest}")


def _counts(timeline: Timeline) -> Iterator[Violation]:
    possible = timeline.done_to("update", "complete")
    for view in timeline.views:
        least = sum(
            one.kind == "update" and one.outcome == "ok" and one.ended < view.began
            for one in possible
        )
        most = sum(one.began < view.ended for one in possible)
        if view.seen.version < 1 + least:
            yield Violation("lost", timeline.task, f"{least} updates were acknowledged: {view}")
        if view.seen.version > 1 + most:
            yield Violation("doubled", timeline.task, f"{most} changes were possible: {view}")


def _titles(timeline: Timeline) -> Iterator[Violation]:
    yield from _register(timeline, {"create", "update"}, "title")


def _completions(timeline: Timeline) -> Iterator[Violation]:
    yield from _register(timeline, {"create", "complete"}, "completed")


def _register(timeline: Timeline, kinds: set[str], field: str) -> Iterator[Violation]:
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
        elif all(_is_superseded(one, possible, view) for one in sources):
            yield Violation(_kind(view, "stale"), timeline.task, f"{field} is older: {view}")


def _unwritten(timeline: Timeline, kinds: set[str], field: str, value: object) -> str:
    tried = any(one.kind in kinds and getattr(one, field) == value for one in timeline.writes)
    return "applied" if tried else "stale"


def _is_superseded(source: Operation, possible: Sequence[Operation], view: View) -> bool:
    """Tell whether an acknowledged write lies wholly between `source` and `view`."""
    return any(
        one.outcome == "ok" and source.ended < one.began and one.ended < view.began
        for one in possible
    )


def _kind(view: View, during: str) -> str:
    """Return the name of what is wrong: what is missing in the end is lost for good."""
    return "lost" if view.by == THE_END else during


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
            made[view.seen.origin].add(timeline.task)
    for one in operations:
        if one.kind == "create" and one.outcome == "fail" and made[one.name]:
            yield Violation("applied", one.name, f"made {made[one.name]}")
        if one.kind == "create" and len(made[one.name]) > 1:
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
    views: dict[str, tuple[Seen, ...]] = {"lists": end.listed, "get": end.got}
    for name, view in views.items():
        for seen in (Counter(view) - Counter(end.rows)) + (Counter(end.rows) - Counter(view)):
            yield Violation("disagreed", seen.task, f"{name} and rows: {seen}")


OPERATION_RULES: tuple[Callable[[Operation], Iterator[Violation]], ...] = (
    *(_answers, _matching_response, _shown),
)
TIMELINE_RULES: tuple[Callable[[Timeline], Iterator[Violation]], ...] = (
    *(_contents, _order, _counts, _titles, _completions, _presence),
)
