"""Due, start and time zone: the acceptance cases 1 to 20, by their numbers."""

from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.questions import changed, found, listed
from tests.problem_details import faults, problem

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
NEW_MEMBERS: dict[str, Any] = {
    "status": "needs-action",
    "due": None,
    "start": None,
    "time_zone": None,
    "priority": None,
    "labels": [],
}

MOMENTS = {
    "1: a gap": (BERLIN, "2026-03-29T02:30:00", "2026-03-29T01:30:00"),
    "2: the first pass of a fold": (BERLIN, "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
    "3: the gap of RFC 5545": (NEW_YORK, "2007-03-11T02:30:00", "2007-03-11T07:30:00"),
    "3: the fold of RFC 5545": (NEW_YORK, "2007-11-04T01:30:00", "2007-11-04T05:30:00"),
    "a gap of half an hour": ("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00"),
    "a day left out": ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00"),
    "no winter time": ("America/Vancouver", "2027-01-15T09:00:00", "2027-01-15T16:00:00"),
}


@pytest.mark.parametrize(("zone", "due", "moment"), MOMENTS.values(), ids=MOMENTS)
def test_a_time_in_a_zone_is_kept_as_sent_and_means_one_moment(
    ada: ApiClient, zone: str, due: str, moment: str
) -> None:
    """`due_before` that moment does not find it, a second later does (RFC 5545, 3.3.5)."""
    task = ada.create(title="x", due=due, time_zone=zone)
    assert (task["due"], task["time_zone"]) == (due, zone)
    assert ada("GET", f"/{task['id']}").json == task
    a_second_later = f"{moment[:-2]}01"
    assert found(ada, due_before=moment, time_zone="UTC") == set()
    assert found(ada, due_before=a_second_later, time_zone="UTC") == {"x"}
    assert found(ada, due_after=moment, time_zone="UTC") == {"x"}
    assert found(ada, due_after=a_second_later, time_zone="UTC") == set()


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"due_before": "2026-11-29T23:59:59"}, False),
        ({"due_before": "2026-11-30"}, True),
        ({"due_before": "2026-11-29"}, False),
        ({"due_after": "2026-11-29"}, True),
        ({"due_after": "2026-11-29T23:59:59"}, True),
        ({"due_after": "2026-11-30"}, False),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_case_6_a_date_lasts_until_its_end_wherever_the_reader_is(
    ada: ApiClient, query: dict[str, str], is_found: bool, zone: str
) -> None:
    """A date stands at 24:00:00 of its day."""
    ada.create(title="x", due="2026-11-29")
    assert found(ada, **query, time_zone=zone) == ({"x"} if is_found else set())


def around_noon_in_berlin(ada: ApiClient) -> None:
    """Create tasks around 2026-11-29T12:00:00 in Berlin, which is 11:00 in UTC."""
    for title, due, zone in (
        ("floating before", "2026-11-29T11:59:59", None),
        ("Tokyo before", "2026-11-29T19:59:00", "Asia/Tokyo"),
        ("Los Angeles before", "2026-11-29T02:59:00", "America/Los_Angeles"),
        ("Kiritimati before", "2026-11-30T00:59:00", "Pacific/Kiritimati"),
        ("floating at", "2026-11-29T12:00:00", None),
        ("Tokyo at", "2026-11-29T20:00:00", "Asia/Tokyo"),
        ("Los Angeles at", "2026-11-29T03:00:00", "America/Los_Angeles"),
        ("a date", "2026-11-29", None),
        ("no date", None, None),
    ):
        ada.create(title=title, due=due, time_zone=zone)


BEFORE = {"floating before", "Tokyo before", "Los Angeles before", "Kiritimati before"}
NOON = "2026-11-29T12:00:00"


def test_case_7_a_bound_is_seen_from_the_time_zone_of_the_reader(ada: ApiClient) -> None:
    """Dates and floating times compare with what was sent; times in a zone by their moment."""
    around_noon_in_berlin(ada)
    after = {"floating at", "Tokyo at", "Los Angeles at", "a date"}
    assert found(ada, due_before=NOON, time_zone=BERLIN) == BEFORE
    assert found(ada, due_after=NOON, time_zone=BERLIN) == after


def test_case_8_the_time_zone_of_the_reader_is_utc_by_default(ada: ApiClient) -> None:
    """Only the times in a zone move."""
    around_noon_in_berlin(ada)
    expected = BEFORE | {"Tokyo at", "Los Angeles at"}
    assert found(ada, due_before=NOON) == found(ada, due_before=NOON, time_zone="UTC") == expected


def test_case_9_today_in_berlin_begins_at_its_midnight(ada: ApiClient) -> None:
    """Los Angeles is nine hours behind."""
    for due in ("2026-11-28T15:00:00", "2026-11-28T14:59:59"):
        ada.create(title=due, due=due, time_zone="America/Los_Angeles")
    today = {"due_after": "2026-11-29", "due_before": "2026-11-30", "time_zone": BERLIN}
    assert found(ada, **today) == {"2026-11-28T15:00:00"}


def test_case_12_a_linked_name_is_kept(ada: ApiClient) -> None:
    """Europe/Kiev stays so after any update, and means what Europe/Kyiv does."""
    kiev, kyiv = (
        ada.create(title=zone, due="2026-07-01T09:00:00", time_zone=zone)
        for zone in ("Europe/Kiev", "Europe/Kyiv")
    )
    for fields in ({"title": "Europe/Kiev", "priority": 1}, {"due": "2026-07-02T09:00:00"}):
        assert changed(ada, kiev, **fields).json["time_zone"] == "Europe/Kiev"
    changed(ada, kyiv, due="2026-07-02T09:00:00")
    assert found(ada, due_before="2026-07-02T06:00:00") == set()
    assert found(ada, due_before="2026-07-02T06:00:01") == {"Europe/Kiev", "Europe/Kyiv"}


@pytest.mark.parametrize(
    "zone", ["europe/berlin", "localtime", "Factory", "UTC+1", "posix/UTC", "../UTC"]
)
def test_case_13_other_names_of_zones_are_refused(ada: ApiClient, zone: str) -> None:
    """In a body and in a query."""
    expected = "must be the name of an IANA time zone in its exact case, such as Europe/Berlin"
    body = {"title": "x", "due": "2026-11-29T09:00:00", "time_zone": zone}
    assert faults(ada("POST", json=body)) == {"/time_zone": expected}
    query = {"time_zone": zone}
    assert faults(ada("GET", query_string=query)) == {"?time_zone": expected}


@pytest.mark.parametrize(
    "due",
    [
        *("2026-03-29T09:00:00Z", "2026-03-29T09:00:00+01:00", "2026-03-29T09:00", 5),
        *("2026-02-30", "2026-03-29T24:00:00"),
    ],
)
def test_case_14_other_forms_of_a_date_are_refused(ada: ApiClient, due: Any) -> None:
    """The message shows both forms; one that no calendar or clock has is named."""
    (message,) = {
        *faults(ada("POST", json={"title": "x", "due": due})).values(),
        *faults(ada("GET", query_string={"due_before": due})).values(),
    }
    forms = (
        "must be a date (2026-03-29) or a local date and time (2026-03-29T09:00:00), "
        "without an offset"
    )
    is_form = due in {"2026-02-30", "2026-03-29T24:00:00"}
    assert message == (f"{forms}; there is no {due}" if is_form else forms)


@pytest.mark.parametrize(
    ("fields", "due", "zone"),
    [
        ({"due": "2026-04-01"}, "2026-04-01", None),
        ({"due": "2026-04-01T10:00:00"}, "2026-04-01T10:00:00", BERLIN),
        ({"time_zone": None}, "2026-03-29T09:00:00", None),
        ({"time_zone": "UTC"}, "2026-03-29T09:00:00", "UTC"),
        ({"due": None}, None, None),
        ({"due": "2026-04-01", "time_zone": None}, "2026-04-01", None),
    ],
)
def test_case_15_a_zone_goes_with_the_last_time(
    ada: ApiClient, fields: dict[str, Any], due: str | None, zone: str | None
) -> None:
    """A time keeps the zone that the body does not name."""
    task = ada.create(due="2026-03-29T09:00:00", time_zone=BERLIN)
    after = changed(ada, task, **fields).json
    assert (after["due"], after["time_zone"], after["version"]) == (due, zone, 2)


def test_case_15_a_zone_stays_while_start_has_a_time(ada: ApiClient) -> None:
    """It holds for both."""
    task = ada.create(start="2026-03-29T08:00:00", due="2026-03-29T09:00:00", time_zone=BERLIN)
    assert changed(ada, task, due=None).json["time_zone"] == BERLIN
    assert changed(ada, task, start=None).json["time_zone"] is None


@pytest.mark.parametrize("fields", [{"due": None}, {"due": "2026-04-01"}, {}])
def test_a_zone_without_a_time_is_refused(ada: ApiClient, fields: dict[str, Any]) -> None:
    """A body that names a zone must leave a time."""
    task = ada.create(due="2026-03-29")
    response = changed(ada, task, time_zone=BERLIN, **fields)
    assert faults(response) == {"/time_zone": "needs a time in due or start"}
    assert ada("GET", f"/{task['id']}").json == task


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "key"}])
def test_a_new_task_is_refused_with_all_errors_before_its_key(
    ada: ApiClient, headers: dict[str, str]
) -> None:
    """What a creation does not name has its default, so no rule needs the storage."""
    body = {"title": "x", "completed": True, "status": "in-process", "time_zone": BERLIN}
    assert faults(ada("POST", json=body, headers=headers)) == {
        "/completed": "does not agree with status",
        "/time_zone": "needs a time in due or start",
    }
    assert ada("POST", json={"title": "x"}, headers=headers).status_code == 201
    assert "/completed" in faults(ada("POST", json=body, headers=headers))


AS_DUE = "must be a local date and time, as due is"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"due": "2026-03-29T09:00:00"}, {"/start": AS_DUE}),
        ({"due": "2026-03-27"}, {"/start": "must not be after due"}),
        ({"start": "2026-03-30", "due": "2026-03-29"}, {"/start": "must not be after due"}),
        ({"start": "2026-03-28T00:00:00"}, {"/start": "must be a date, as due is"}),
    ],
)
def test_case_16_start_and_due_agree(
    ada: ApiClient, fields: dict[str, str], expected: dict[str, str]
) -> None:
    """Both are dates or both are times, and start is not after due."""
    task = ada.create(start="2026-03-28", due="2026-03-29")
    assert faults(changed(ada, task, **fields)) == expected
    assert ada("GET", f"/{task['id']}").json == task


def test_case_16_start_may_be_due(ada: ApiClient) -> None:
    """RFC 5545 wants due to be later; a task that is due on the day it starts is common."""
    task = ada.create(start="2026-03-28")
    assert changed(ada, task, due="2026-03-28").status_code == 200


def test_case_16_start_and_due_are_compared_by_the_clock(ada: ApiClient) -> None:
    """In the hour that comes twice, the moments do not decide."""
    task = ada.create(start="2026-10-25T02:59:59", due="2026-10-25T03:00:00", time_zone=BERLIN)
    assert (task["start"], task["due"]) == ("2026-10-25T02:59:59", "2026-10-25T03:00:00")


DUES = [
    *("2026-03-29T00:00:00", "2026-03-29T23:59:59", "2026-03-29", "2026-03-30T00:00:00"),
    *("2026-03-30", "none"),
]


def every_kind_of_due(ada: ApiClient) -> None:
    """Create a task with each of `DUES`, out of order; two are in a zone."""
    for n, due in enumerate(DUES[::-2] + DUES[-2::-2]):
        is_zoned = n % 2 == 0 and "T" in due
        ada.create(
            title=due,
            due=None if due == "none" else due,
            time_zone="Pacific/Kiritimati" if is_zoned else None,
        )


@pytest.mark.parametrize("limit", ["1", "2", "100"])
def test_case_17_a_list_by_due_is_by_the_clock_as_written(ada: ApiClient, limit: str) -> None:
    """A date behind all times of its day, none last, in both directions, on pages of any size."""
    every_kind_of_due(ada)
    assert listed(ada, sort="due", limit=limit) == DUES
    assert listed(ada, sort="-due", limit=limit) == DUES[::-1]


def test_case_18_equal_dues_are_sorted_by_id(ada: ApiClient) -> None:
    """A page may end between them."""
    for n in range(5):
        ada.create(title=f"{n}", due=None if n > 2 else "2026-03-29")
    assert listed(ada, sort="due", limit="2") == ["0", "1", "2", "3", "4"]
    assert listed(ada, sort="-due", limit="2") == ["4", "3", "2", "1", "0"]


def test_case_18_a_cursor_belongs_to_one_time_zone(ada: ApiClient) -> None:
    """Another one is another list."""
    for _ in range(2):
        ada.create(due="2026-03-29")
    link = ada("GET", "?limit=1&sort=due&time_zone=Europe/Berlin").headers["Link"]
    query = link.partition("<")[2].partition(">")[0]
    assert ada("GET", query).status_code == 200
    assert problem(ada("GET", query.replace("Berlin", "Paris")), 400, "malformed-request")


def test_case_19_a_client_of_before_changes_nothing_that_it_does_not_name(ada: ApiClient) -> None:
    """PUT and PATCH keep each new member."""
    new = {
        "status": "in-process",
        "start": "2026-03-28T09:00:00",
        "due": "2026-03-29T09:00:00",
        "time_zone": BERLIN,
        "priority": 1,
        "labels": ["garden", "home"],
    }
    task = ada.create(**new)
    for method in ("PUT", "PATCH"):
        after = ada(method, f"/{task['id']}", json={"title": method}).json
        assert {name: after[name] for name in new} == new


def test_case_19_a_plain_task_has_the_defaults_behind_its_version(ada: ApiClient) -> None:
    """The new members are behind those of before, in the order of the contract."""
    task = ada.create()
    names = [*task]
    assert names[names.index("version") + 1 :][: len(NEW_MEMBERS)] == [*NEW_MEMBERS]
    assert {name: task[name] for name in NEW_MEMBERS} == NEW_MEMBERS


def test_case_20_a_list_without_new_parameters_is_as_before(ada: ApiClient) -> None:
    """Newest first, with tasks that have not started yet."""
    new: dict[str, dict[str, Any]] = {
        "a": {"due": "2026-03-29"},
        "b": {"start": "9998-12-31"},
        "c": {"priority": 1, "status": "in-process"},
        "d": {"due": "1970-01-01"},
    }
    for title, fields in new.items():
        ada.create(title=title, **fields)
    assert listed(ada) == ["d", "c", "b", "a"]
    assert listed(ada, completed="false", sort="title") == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-28", {"no start", "yesterday", "the date", "midnight"}),
        ("2026-03-28T00:00:00", {"no start", "yesterday", "the date", "midnight"}),
        ("2026-03-27T23:59:59", {"no start", "yesterday"}),
        ("2026-03-28T08:00:00", {"no start", "yesterday", "the date", "midnight", "Berlin"}),
        ("2026-03-28T07:59:59", {"no start", "yesterday", "the date", "midnight"}),
    ],
)
def test_a_task_is_available_once_its_start_has_come(
    ada: ApiClient, at: str, expected: set[str]
) -> None:
    """A date starts at 00:00:00; a task without a start is available."""
    for title, start, zone in (
        ("no start", None, None),
        ("yesterday", "2026-03-27", None),
        ("the date", "2026-03-28", None),
        ("midnight", "2026-03-28T00:00:00", None),
        ("Berlin", "2026-03-28T09:00:00", BERLIN),
        ("tomorrow", "2026-03-29", None),
    ):
        ada.create(title=title, start=start, time_zone=zone)
    assert found(ada, available_at=at) == expected


def test_has_due_finds_tasks_with_or_without_a_date(ada: ApiClient) -> None:
    """A start alone is no due."""
    ada.create(title="due", due="2026-03-29")
    ada.create(title="start", start="2026-03-29")
    assert found(ada, has_due="true") == {"due"}
    assert found(ada, has_due="false") == {"start"}


def test_overdue_is_a_question_of_the_open_tasks(ada: ApiClient) -> None:
    """What is closed, or has no date, is not overdue."""
    new: dict[str, dict[str, Any]] = {
        "overdue": {"due": "2026-11-28"},
        "today": {"due": "2026-11-29"},
        "done": {"due": "2026-11-28", "completed": True},
        "cancelled": {"due": "2026-11-28", "status": "cancelled"},
        "some day": {},
    }
    for title, fields in new.items():
        ada.create(title=title, **fields)
    overdue = {"completed": "false", "due_before": "2026-11-29T14:05:00", "time_zone": BERLIN}
    assert found(ada, **overdue) == {"overdue"}
    assert found(ada, **overdue, sort="due") == {"overdue"}
