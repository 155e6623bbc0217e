"""Tasks that recur: rules, successors, the history of a series, undo: the cases 23 to 46."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.conftest import StoppableClock
from tests.planning.questions import all_pages, by_position, changed, found, read, titles
from tests.problem_details import faults, problem

from taskservice.core.fields import fields_of
from taskservice.core.owner_data import OpenOwnerData
from taskservice.core.task import NewTask, Task

BERLIN = {"time_zone": "Europe/Berlin"}
DAILY, WEEKLY, MONTHLY = "FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY"
ANOTHER = {"/recurrence": "another open task of the series recurs"}

CHAINS: dict[str, tuple[str, str, str]] = {
    "25 the 31st": ("2026-01-31", MONTHLY, "2026-03-31 2026-05-31 2026-07-31 2026-08-31"),
    "25 the last day": (
        "2026-01-31",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "2026-02-28 2026-03-31 2026-04-30",
    ),
    "26 a leap day": ("2028-02-29", "FREQ=YEARLY", "2032-02-29"),
    "26 over 2100": ("2096-02-29", "FREQ=YEARLY", "2104-02-29"),
    "27 the last workday": (
        "2026-01-30",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "2026-02-27 2026-03-31 2026-04-30",
    ),
    "27 the second Tuesday": ("2026-11-10", "FREQ=MONTHLY;BYDAY=2TU", "2026-12-08"),
    "29 a position in a week": (
        "2024-07-19",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU,TH;BYSETPOS=2",
        "2024-08-02",
    ),
}
"""Where a series begins, its rule, and its next days."""

CLOSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "30 before its time": (
        {"due": "2026-03-01T09:00:00", "recurrence": DAILY},
        "2026-03-10T08:00:00",
        "2026-03-10T09:00:00",
    ),
    "30 at its time": (
        {"due": "2026-03-01T09:00:00", "recurrence": DAILY},
        "2026-03-10T09:00:00",
        "2026-03-11T09:00:00",
    ),
    "31 a date": ({"due": "2026-03-01", "recurrence": DAILY}, "2026-03-10T08:00:00", "2026-03-11"),
    "31 on a Monday": (
        {"due": "2026-03-02", "recurrence": "FREQ=WEEKLY;BYDAY=MO"},
        "2026-03-09T08:00:00",
        "2026-03-16",
    ),
    "31 in phase": (
        {"due": "2026-03-01", "recurrence": "FREQ=DAILY;INTERVAL=3"},
        "2026-03-09T08:00:00",
        "2026-03-10",
    ),
    "38 from completion on a Wednesday": (
        {
            "due": "2026-03-02",
            "recurrence": "FREQ=WEEKLY;BYDAY=MO,TH",
            "repeats_from": "completion",
        },
        "2026-03-11T08:00:00",
        "2026-03-12",
    ),
    "38 from completion at the end of a month": (
        {"due": "2026-01-31", "recurrence": MONTHLY, "repeats_from": "completion"},
        "2026-01-31T08:00:00",
        "2026-02-28",
    ),
    "38 by schedule at the end of a month": (
        {"due": "2026-01-31", "recurrence": MONTHLY},
        "2026-01-31T08:00:00",
        "2026-03-31",
    ),
}
"""A task, the moment at which it is closed, and when its successor is due."""

REFUSED: dict[str, str] = {
    "FREQ=SECONDLY": "FREQ=SECONDLY is not taken: a task recurs by days",
    "FREQ=DAILY;INTERVAL=0": "INTERVAL must be a number from 1 to 999",
    "FREQ=DAILY;COUNT=1000": "COUNT must be a number from 1 to 999",
    "FREQ=DAILY;COUNT=2;UNTIL=20270101": "COUNT and UNTIL exclude each other",
    "FREQ=WEEKLY;BYDAY=2MO": (
        "BYDAY may have numbers only with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH"
    ),
    "FREQ=WEEKLY;BYMONTHDAY=3": "BYMONTHDAY is not taken with FREQ=WEEKLY",
    "FREQ=DAILY;BYYEARDAY=3": "BYYEARDAY is not taken",
    "FREQ=DAILY;FREQ=DAILY": "FREQ is there twice",
    "freq=daily": (
        "must be parts such as FREQ=WEEKLY;BYDAY=MO, each once, in upper case and without spaces"
    ),
    "RRULE:FREQ=DAILY": "must be the rule alone, without RRULE:",
    "FREQ=DAILY;BYMONTH=" + ",".join(["1"] * 118) + ",12": "must have at most 255 characters",
    "FREQ=DAILY;EXDATE=20270101": "EXDATE is not taken",
    "FREQ=DAILY;UNTIL=20270101T090000": "UNTIL must be a date (20261231), as there is no time",
    "FREQ=DAILY;UNTIL=20270101T090000Z": "UNTIL must be a date (20261231), as there is no time",
}

NEVER = {
    "2026-03-02": "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
    "2026-03-03": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "2026-03-04": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
}


def at(moment: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def close(ada: ApiClient, clock: StoppableClock, task: Any, now: str, **body: str) -> Any:
    """Complete a task at a moment in UTC, and return it."""
    clock.stopped = at(now)
    return set_completion(ada, task, completed=True, **body)


def reopen(ada: ApiClient, task: dict[str, Any]) -> Any:
    """Undo the completion of a task, and return it."""
    return set_completion(ada, task, completed=False)


def set_completion(ada: ApiClient, task: dict[str, Any], **body: Any) -> Any:
    """Set the completion of a task, and return it."""
    answer = ada("PATCH", f"/{task['id']}/complete", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def successor(ada: ApiClient, closed: dict[str, Any]) -> dict[str, Any]:
    """Return the successor of a closed task."""
    assert closed["completed"]
    return read(ada, {"id": closed["next_id"]})


def next_due(ada: ApiClient, clock: StoppableClock, task: Any, now: str, **body: str) -> Any:
    """Complete a task at a moment in UTC, and return when its successor is due."""
    return successor(ada, close(ada, clock, task, now, **body))["due"]


def series(ada: ApiClient, task: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the history of a series, the oldest first."""
    return all_pages(ada, series_id=task["series_id"], sort="created_at")


@pytest.fixture(autouse=True)
def start(clock: StoppableClock) -> None:
    """Stop the clock before all series begin."""
    clock.stopped = at("2024-01-01T00:00:00")


def test_case_23_the_time_of_day_stays_when_clocks_change(
    ada: ApiClient, clock: StoppableClock
) -> None:
    """09:00 in Berlin is 08:00Z on 23 March, and 07:00Z a week later."""
    task = ada.create(due="2026-03-23T09:00:00", recurrence=WEEKLY, **BERLIN)
    following = successor(ada, close(ada, clock, task, "2026-03-23T12:00:00"))
    assert following["due"] == following["occurrence"] == "2026-03-30T09:00:00"
    second = {"due_after": "2026-03-30T07:00:00", "due_before": "2026-03-30T07:00:01"}
    assert [one["id"] for one in all_pages(ada, **second)] == [following["id"]]


@pytest.mark.parametrize(
    ("first", "moments"),
    [
        ("2026-03-28", ["2026-03-29T01:30:00", "2026-03-30T00:30:00"]),
        ("2026-10-24", ["2026-10-25T00:30:00", "2026-10-26T01:30:00"]),
    ],
)
def test_case_24_a_day_on_which_clocks_change_is_no_exception(
    ada: ApiClient, clock: StoppableClock, first: str, moments: list[str]
) -> None:
    """02:30 stays 02:30 in a gap and in a fold: no drift, and none is dropped."""
    task = ada.create(due=f"{first}T02:30:00", recurrence=DAILY, **BERLIN)
    for moment in moments:
        task = successor(ada, close(ada, clock, task, f"{first}T04:00:00"))
        assert task["due"] == f"{moment[:10]}T02:30:00"
        second = {"due_after": moment, "due_before": f"{moment[:-1]}1"}
        assert [one["id"] for one in all_pages(ada, **second)] == [task["id"]]


@pytest.mark.parametrize("case", CHAINS)
def test_cases_25_to_29_the_days_of_a_rule(
    ada: ApiClient, clock: StoppableClock, case: str
) -> None:
    """Each closed early, so that none is missed."""
    due, rule, expected = CHAINS[case]
    task = ada.create(due=due, recurrence=rule)
    for day in expected.split():
        task = successor(ada, close(ada, clock, task, "2024-01-01T08:00:00"))
        assert task["due"] == day
    assert {one["recurrence"] for one in series(ada, task)} == {rule}


@pytest.mark.parametrize("case", CLOSED)
def test_cases_30_31_and_38_what_was_missed_is_left_out(
    ada: ApiClient, clock: StoppableClock, case: str
) -> None:
    """The successor is due in the future, in phase with the rule or from the completion on."""
    fields, moment, expected = CLOSED[case]
    assert next_due(ada, clock, ada.create(**fields), moment) == expected


@pytest.mark.parametrize(("day", "due", "left"), [("01", "2026-03-02", 4), ("03", "2026-03-04", 2)])
def test_case_32_count_goes_down_by_what_was_missed_too(
    ada: ApiClient, clock: StoppableClock, day: str, due: str, left: int
) -> None:
    """A rule counts occurrences from the task on that has it."""
    task = ada.create(due="2026-03-01", recurrence="FREQ=DAILY;COUNT=5")
    following = successor(ada, close(ada, clock, task, f"2026-03-{day}T08:00:00"))
    assert (following["due"], following["recurrence"]) == (due, f"FREQ=DAILY;COUNT={left}")


@pytest.mark.parametrize(
    ("end", "due", "day"),
    [
        ("COUNT=1", "2026-03-01", "01"),
        ("COUNT=3", "2026-03-01", "03"),
        ("UNTIL=20260301", "2026-03-01", "01"),
        ("UNTIL=20260302T085959", "2026-03-01T09:00:00", "01"),
    ],
)
def test_case_32_the_last_of_a_series_is_just_closed(
    ada: ApiClient, clock: StoppableClock, end: str, due: str, day: str
) -> None:
    """It has no successor, and keeps its recurrence."""
    task = ada.create(due=due, recurrence=f"FREQ=DAILY;{end}")
    closed = close(ada, clock, task, f"2026-03-{day}T10:00:00")
    assert (closed["next_id"], closed["recurrence"]) == (None, task["recurrence"])
    assert series(ada, task) == [closed]


@pytest.mark.parametrize(
    ("until", "due"), [("20260330T070000Z", "2026-03-30T09:00:00"), ("20260330T065959Z", None)]
)
def test_until_is_inclusive_and_in_utc_for_a_task_in_a_time_zone(
    ada: ApiClient, clock: StoppableClock, until: str, due: str | None
) -> None:
    """09:00 in Berlin is 07:00Z, after the clocks have changed."""
    rule = f"FREQ=WEEKLY;UNTIL={until}"
    task = ada.create(due="2026-03-23T09:00:00", recurrence=rule, **BERLIN)
    closed = close(ada, clock, task, "2026-03-23T12:00:00")
    assert (closed["next_id"] and successor(ada, closed)["due"]) == due


@pytest.mark.parametrize(
    ("move", "expected"), [({}, "2026-04-04"), ({"occurrence": None}, "2026-04-05")]
)
def test_case_34_one_occurrence_moves_or_the_series(
    ada: ApiClient, clock: StoppableClock, move: dict[str, None], expected: str
) -> None:
    """A Saturday is done on Sunday once, or from then on."""
    task = ada.create(due="2026-03-28", recurrence=WEEKLY)
    moved = changed(ada, task, due="2026-03-29", **move).json
    assert moved["occurrence"] == ("2026-03-29" if move else "2026-03-28")
    assert next_due(ada, clock, task, "2026-03-29T12:00:00") == expected


def test_case_35_an_occurrence_that_moved_far_skips_none(
    ada: ApiClient, clock: StoppableClock
) -> None:
    """Monday the 2nd moves to Tuesday the 10th, and is done on the 3rd."""
    task = ada.create(due="2026-03-02", recurrence=WEEKLY)
    changed(ada, task, due="2026-03-10")
    assert next_due(ada, clock, task, "2026-03-03T12:00:00") == "2026-03-09"


def test_case_36_a_snoozed_time_is_back_the_next_day(ada: ApiClient, clock: StoppableClock) -> None:
    """From 09:00 to 15:00, once."""
    task = ada.create(due="2026-03-02T09:00:00", recurrence=DAILY)
    changed(ada, task, due="2026-03-02T15:00:00")
    assert next_due(ada, clock, task, "2026-03-02T15:30:00") == "2026-03-03T09:00:00"


@pytest.mark.parametrize(
    ("move", "due"),
    [({"start": "2026-03-04"}, "2026-03-13"), ({"due": "2026-03-07"}, "2026-03-14")],
)
def test_case_36_occurrences_are_of_the_start(
    ada: ApiClient, clock: StoppableClock, move: dict[str, str], due: str
) -> None:
    """A start that moves once moves nothing after it; a due date stays as far from it."""
    task = ada.create(start="2026-03-02", due="2026-03-06", recurrence=WEEKLY)
    changed(ada, task, **move)
    following = successor(ada, close(ada, clock, task, "2026-03-06T12:00:00"))
    assert (following["start"], following["due"]) == ("2026-03-09", due)


@pytest.mark.parametrize(
    ("zone", "due"), [({"time_zone": "America/Los_Angeles"}, "2026-03-13"), ({}, "2026-03-14")]
)
def test_case_37_the_day_is_that_of_the_caller(
    ada: ApiClient, clock: StoppableClock, zone: dict[str, str], due: str
) -> None:
    """At 06:30 in UTC it is still the day before in Los Angeles."""
    rule = {"recurrence": "FREQ=DAILY;INTERVAL=3", "repeats_from": "completion"}
    task = ada.create(due="2026-03-01", **rule)
    assert next_due(ada, clock, task, "2026-03-11T06:30:00", **zone) == due


def test_case_39_completed_twice(ada: ApiClient) -> None:
    """One successor, the same answer, and one version."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    answers = [set_completion(ada, task, completed=True) for _ in range(2)]
    assert answers[0] == answers[1]
    assert [one["id"] for one in series(ada, task)] == [task["id"], answers[0]["next_id"]]


def test_case_39_completed_by_50_at_once(ada: ApiClient) -> None:
    """One successor, and the same answer to all."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    barrier = Barrier(50)

    def complete(_: int) -> Any:
        barrier.wait(30)
        return set_completion(ada, task, completed=True)

    with ThreadPoolExecutor(50) as pool:
        answers = [*pool.map(complete, range(50))]
    assert all(answer == answers[0] for answer in answers)
    assert [one["id"] for one in series(ada, task)] == [task["id"], answers[0]["next_id"]]


def test_case_41_undo_at_once(ada: ApiClient, clock: StoppableClock) -> None:
    """As before, without a successor, whether it is done once or twice."""
    task = ada.create(due="2026-03-01", recurrence="FREQ=DAILY;COUNT=5")
    closed = close(ada, clock, task, "2026-03-03T12:00:00")
    reopened = reopen(ada, closed)
    later = {"updated_at": reopened["updated_at"], "version": 3}
    assert reopened == {**task, **later}
    problem(ada("GET", f"/{closed['next_id']}"), 404, "task-not-found")
    assert reopen(ada, closed) == reopened


@pytest.mark.parametrize("fate", ["retitled", "completed", "deleted"])
def test_case_42_undo_removes_nothing_that_a_person_wrote(ada: ApiClient, fate: str) -> None:
    """A successor that was changed stays, and the series lives on there."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    closed = set_completion(ada, task, completed=True)
    following = successor(ada, closed)
    match fate:
        case "retitled":
            following = changed(ada, following, title="By hand").json
        case "completed":
            following = set_completion(ada, following, completed=True)
        case "deleted":
            assert ada("DELETE", f"/{following['id']}").status_code == 204
    reopened = reopen(ada, closed)
    recurrence = (DAILY, "2026-03-01") if fate == "deleted" else (None, None)
    assert (reopened["recurrence"], reopened["occurrence"]) == recurrence
    assert (reopened["completed"], reopened["next_id"]) == (False, None)
    assert reopened["series_id"] == task["series_id"]
    if fate != "deleted":
        assert read(ada, following) == following


def test_reopened_by_whichever_operation(ada: ApiClient) -> None:
    """PUT and PATCH, by `status` and by `completed`, undo as `…/complete` does."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    for method, body in (
        ("PATCH", {"completed": False}),
        ("PATCH", {"status": "in-process"}),
        ("PUT", {"title": "x", "completed": False}),
    ):
        closed = set_completion(ada, task, completed=True)
        reopened = ada(method, f"/{task['id']}", json=body).json
        assert (reopened["recurrence"], reopened["next_id"]) == (DAILY, None)
        problem(ada("GET", f"/{closed['next_id']}"), 404, "task-not-found")


def test_one_open_task_of_a_series_recurs(ada: ApiClient) -> None:
    """Whatever is reopened, and it is refused to make another one recur."""
    first = ada.create(due="2026-03-01", recurrence=DAILY)
    first = set_completion(ada, first, completed=True)
    second = set_completion(ada, successor(ada, first), completed=True)
    third = successor(ada, second)
    assert ada("DELETE", f"/{second['id']}").status_code == 204
    reopened = reopen(ada, first)
    assert (reopened["recurrence"], third["recurrence"]) == (None, DAILY)
    assert faults(changed(ada, reopened, recurrence=WEEKLY)) == ANOTHER
    assert changed(ada, third, recurrence=None).status_code == 200
    assert changed(ada, reopened, recurrence=WEEKLY).json["occurrence"] == "2026-03-01"
    assert faults(changed(ada, third, recurrence=WEEKLY)) == ANOTHER


def test_a_recurrence_comes_back_if_the_series_has_ended(ada: ApiClient) -> None:
    """By hand, in the request that reopens the task, as its successor recurs no more."""
    closed = set_completion(ada, ada.create(due="2026-03-01", recurrence=DAILY), completed=True)
    changed(ada, successor(ada, closed), recurrence=None)
    reopened = changed(ada, closed, completed=False, recurrence=WEEKLY)
    assert (reopened.status_code, reopened.json["recurrence"]) == (200, WEEKLY)


def test_a_closed_task_recurs_only_if_no_open_one_does(ada: ApiClient) -> None:
    """Not in the request that closes it either, as that would make another successor."""
    closed = set_completion(ada, ada.create(due="2026-03-01", recurrence=DAILY), completed=True)
    changed(ada, successor(ada, closed), title="By hand")
    reopened = reopen(ada, closed)
    assert faults(changed(ada, reopened, completed=True, recurrence=WEEKLY)) == ANOTHER
    closed = set_completion(ada, reopened, completed=True)
    assert closed["next_id"] is None
    assert faults(changed(ada, closed, recurrence=WEEKLY)) == ANOTHER


def purge(ada: ApiClient, task: dict[str, Any]) -> None:
    """Delete a task for good."""
    for path in (f"/{task['id']}", f"/api/tasks/{ada.user}/trash/{task['id']}"):
        assert ada("DELETE", path).status_code == 204


def test_of_two_that_were_imported_the_last_one_has_a_successor(
    ada: ApiClient, open_owner_data: OpenOwnerData
) -> None:
    """A purged task comes back from an export, open, beside its successor."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    following = successor(ada, set_completion(ada, task, completed=True))
    purge(ada, task)
    assert open_owner_data(ada.user).import_entities([Task.load(task)]) == []
    assert set_completion(ada, task, completed=True)["next_id"] is None
    assert set_completion(ada, following, completed=True)["next_id"] is not None


def test_undo_removes_only_a_task_of_the_series(
    ada: ApiClient, open_owner_data: OpenOwnerData
) -> None:
    """Whatever an imported task names as its successor."""
    other = ada.create(title="Mine")
    task = ada.create(due="2026-03-01", recurrence="FREQ=DAILY;COUNT=1")
    closed = {**set_completion(ada, task, completed=True), "next_id": other["id"]}
    purge(ada, task)
    assert open_owner_data(ada.user).import_entities([Task.load(closed)]) == []
    assert reopen(ada, closed)["recurrence"] is None
    assert read(ada, other) == other


def test_a_long_history_is_not_written_again(ada: ApiClient, clock: StoppableClock) -> None:
    """Successors are directly behind one another, and there is room for thousands."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    for _ in range(100):
        clock.step()
        task = successor(ada, set_completion(ada, task, completed=True))
    *history, last = by_position(ada)
    assert {one["version"] for one in history} == {2}
    assert len(last["position"]) < 20


@pytest.mark.parametrize(
    ("rule", "closed", "due"),
    [
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-03-10", "2026-03-16"),
        ("FREQ=MONTHLY;INTERVAL=2;BYMONTH=1,3,5,7,9,11;BYMONTHDAY=1", "2026-04-02", "2026-05-01"),
    ],
)
def test_a_late_completion_does_not_end_a_series(
    ada: ApiClient, clock: StoppableClock, rule: str, closed: str, due: str
) -> None:
    """Where the interval from that day on leads only to days that the rule leaves out."""
    task = ada.create(due="2026-03-02", recurrence=rule, repeats_from="completion")
    assert next_due(ada, clock, task, f"{closed}T12:00:00") == due


def test_case_43_an_occurrence_is_skipped(ada: ApiClient) -> None:
    """By the status `cancelled`, twice: one successor, and the history has it."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    answers = [changed(ada, task, status="cancelled").json for _ in range(2)]
    assert answers[0] == answers[1]
    history = [(one["status"], one["due"]) for one in series(ada, task)]
    assert history == [("cancelled", "2026-03-01"), ("needs-action", history[1][1])]


def test_a_skipped_occurrence_counts_from_where_it_was(
    ada: ApiClient, clock: StoppableClock
) -> None:
    """It was not done today, so the next one is later, whatever the task repeats from."""
    clock.stopped = at("2026-11-30T12:00:00")
    rule = {"recurrence": "FREQ=DAILY;INTERVAL=5", "repeats_from": "completion"}
    task = ada.create(due="2026-12-05", **rule)
    for due in ("2026-12-10", "2026-12-15"):
        task = successor(ada, changed(ada, task, status="cancelled").json)
        assert task["due"] == due


@pytest.mark.parametrize("due", NEVER)
def test_case_44_a_rule_that_never_occurs_again_is_refused(ada: ApiClient, due: str) -> None:
    """At creation and at a change."""
    refusal = {"/recurrence": "never occurs again"}
    body = {"title": "x", "due": due, "recurrence": NEVER[due]}
    assert faults(ada("POST", json=body)) == refusal
    task = ada.create(due=due)
    assert faults(changed(ada, task, recurrence=NEVER[due])) == refusal
    assert read(ada, task) == task
    assert ada("POST", json={**body, "recurrence": f"{NEVER[due]};COUNT=3"}).status_code == 201


@pytest.mark.parametrize("rule", REFUSED)
def test_case_45_what_is_outside_the_subset_is_refused_by_name(ada: ApiClient, rule: str) -> None:
    """With a pointer, and the part."""
    answer = ada("POST", json={"title": "x", "due": "2026-03-01", "recurrence": rule})
    assert faults(answer) == {"/recurrence": REFUSED[rule]}


def test_case_46_a_recurrence_needs_a_date_and_an_open_task(ada: ApiClient) -> None:
    """At creation, and after any change."""
    needs = {"/recurrence": "needs due or start"}
    body = {"title": "x", "recurrence": DAILY}
    assert faults(ada("POST", json=body)) == needs
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    assert faults(changed(ada, task, due=None)) == needs
    closed = {**body, "due": "2026-03-01", "completed": True}
    assert faults(ada("POST", json=closed)) == {"/recurrence": "a task that recurs is created open"}


def test_a_successor_is_like_the_closed_task(ada: ApiClient, clock: StoppableClock) -> None:
    """It stands directly behind that, and is new."""
    list_id = ada("POST", f"/api/tasks/{ada.user}/lists", json={"name": "Home"}).json["id"]
    fields = {"title": "A", "description": "All", "priority": 1, "labels": ["b"], **BERLIN}
    task = ada.create(
        **fields,
        start="2026-03-01T09:00:00",
        due="2026-03-01T10:00:00",
        list_id=list_id,
        recurrence=DAILY,
        status="in-process",
    )
    clock.step()
    ada.create(title="B", list_id=list_id)
    closed = close(ada, clock, task, "2026-03-01T12:00:00")
    following = successor(ada, closed)
    assert following == {
        **task,
        "id": closed["next_id"],
        "status": "needs-action",
        "created_at": closed["completed_at"],
        "updated_at": closed["completed_at"],
        "start": "2026-03-02T09:00:00",
        "due": "2026-03-02T10:00:00",
        "occurrence": "2026-03-02T09:00:00",
        "position": following["position"],
    }
    assert {**task, "status": "completed", "completed": True, "version": 2} == {
        **closed,
        "completed_at": None,
        "next_id": None,
        "updated_at": task["updated_at"],
    }
    assert titles(by_position(ada, list_id)) == "AAB"
    assert following["series_id"] == task["id"]


def test_a_task_that_recurs_is_in_no_tree(ada: ApiClient) -> None:
    """It has no sub-tasks, and is none, at any depth."""
    daily = ada.create(due="2026-03-01", recurrence=DAILY)
    parent = ada.create(due="2026-03-01")
    below = ada.create(parent_id=parent["id"], due="2026-03-01")
    under = {"parent_id": daily["id"]}
    recurs = {"/parent_id": "recurs, and such a task has no sub-tasks"}
    assert faults(ada("POST", json={"title": "x", **under})) == recurs
    assert faults(changed(ada, parent, **under)) == recurs
    alone = {"/parent_id": "must be null, as a sub-task does not recur"}
    new = {"title": "x", "parent_id": parent["id"], "due": "2026-03-01", "recurrence": DAILY}
    assert faults(ada("POST", json=new)) == alone
    assert faults(changed(ada, daily, parent_id=parent["id"])) == alone
    refused = {"/recurrence": "a task with sub-tasks does not recur"}
    assert faults(changed(ada, parent, recurrence=DAILY)) == refused
    assert faults(changed(ada, below, recurrence=DAILY)) == {
        "/recurrence": "a sub-task does not recur"
    }


def test_closed_and_moved_by_one_request(ada: ApiClient) -> None:
    """The successor is in the new list too."""
    list_id = ada("POST", f"/api/tasks/{ada.user}/lists", json={"name": "Home"}).json["id"]
    task = ada.create(title="A", due="2026-03-01", recurrence=DAILY)
    closed = changed(ada, task, completed=True, list_id=list_id, title="B").json
    assert titles(by_position(ada, list_id)) == "BB"
    assert successor(ada, closed)["list_id"] == list_id


@pytest.mark.parametrize(
    ("edit", "occurrence"),
    [
        ({"due": "2026-03-08"}, "2026-03-01"),
        ({"title": "x", "recurrence": DAILY, "due": "2026-03-08"}, "2026-03-01"),
        ({"due": "2026-03-08", "recurrence": WEEKLY}, "2026-03-08"),
        ({"due": "2026-03-08T09:00:00"}, "2026-03-08T09:00:00"),
        ({"start": "2026-02-27"}, "2026-02-27"),
        ({"occurrence": "2026-03-02"}, "2026-03-02"),
        ({"recurrence": None}, None),
    ],
)
def test_what_an_occurrence_follows(
    ada: ApiClient, edit: dict[str, Any], occurrence: str | None
) -> None:
    """The recurrence, the kind of the dates, and the one that occurrences are of."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    assert changed(ada, task, **edit).json["occurrence"] == occurrence


def test_an_occurrence_must_agree(ada: ApiClient) -> None:
    """With the kind of the dates, and there is none without a recurrence."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    later = ada.create(due="2026-03-01T09:00:00", recurrence=DAILY)
    dated = faults(changed(ada, later, occurrence="2026-03-01"))
    assert dated == {"/occurrence": "must be a local date and time, as in due and start"}
    timed = faults(changed(ada, task, occurrence="2026-03-01T09:00:00"))
    assert timed == {"/occurrence": "must be a date, as in due and start"}
    without = faults(changed(ada, task, occurrence="2026-03-02", recurrence=None))
    assert without == {"/occurrence": "must be null without a recurrence"}


@pytest.mark.parametrize(
    ("dates", "until", "detail"),
    [
        (BERLIN, "20270101T090000", "in UTC (20261231T080000Z), as there is a time_zone"),
        ({}, "20270101T080000Z", "a local time (20261231T090000), as there is no time_zone"),
        ({}, "20270101", "a local time (20261231T090000), as there is no time_zone"),
    ],
)
def test_until_has_the_form_of_the_dates(
    ada: ApiClient, dates: dict[str, str], until: str, detail: str
) -> None:
    """As RFC 5545 demands; a change of the form needs another rule too."""
    rule = f"FREQ=DAILY;UNTIL={until}"
    new = {"title": "x", "due": "2026-03-01T09:00:00", "recurrence": rule, **dates}
    assert faults(ada("POST", json=new)) == {"/recurrence": f"UNTIL must be {detail}"}


def test_one_date_is_enough(ada: ApiClient) -> None:
    """`due` may go if there is a `start`; then occurrences are of that as before."""
    task = ada.create(start="2026-03-01", due="2026-03-02", recurrence=DAILY)
    kept = changed(ada, task, due=None, recurrence=DAILY).json
    assert (kept["due"], kept["occurrence"]) == (None, "2026-03-01")
    without_start = changed(ada, kept, start=None, due="2026-03-03").json
    assert without_start["occurrence"] == "2026-03-03"


@pytest.mark.parametrize(
    ("edit", "occurrence"),
    [
        ({"recurrence": None}, None),
        ({"due": "2026-03-08T09:00:00"}, "2026-03-08T09:00:00"),
        ({"due": "2026-03-08"}, "2026-03-01"),
    ],
)
def test_a_client_may_send_all_that_it_read(
    ada: ApiClient, edit: dict[str, Any], occurrence: str | None
) -> None:
    """An occurrence that did not change stays, or follows from what did."""
    task = ada.create(due="2026-03-01", recurrence=DAILY)
    sent = {name: task[name] for name in fields_of(NewTask)} | edit
    assert ada("PUT", f"/{task['id']}", json=sent).json["occurrence"] == occurrence


def test_if_match_and_the_history(ada: ApiClient, clock: StoppableClock) -> None:
    """A precondition holds for all of it, and a filter finds what belongs together."""
    task = ada.create(title="A", due="2026-03-01", recurrence=DAILY)
    clock.step()
    other = ada.create(title="B", due="2026-03-01", recurrence=DAILY)
    path = f"/{task['id']}"
    stale = ada("PATCH", path, json={"completed": True}, headers={"If-Match": '"7"'})
    problem(stale, 412, "precondition-failed")
    assert series(ada, task) == [task]
    done = ada("PATCH", path, json={"completed": True}, headers={"If-Match": '"1"'})
    assert (done.headers["ETag"], done.json["version"]) == ('"2"', 2)
    assert found(ada, series_id=task["series_id"]) == {"A"}
    assert found(ada, series_id=other["series_id"], completed="true") == set()
