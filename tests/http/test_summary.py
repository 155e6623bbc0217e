"""The summary over HTTP: its numbers are those of the lists, as of the clock of the service."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.problem_details import faults

from taskservice.testing import TickingClock

SUMMARY = "/api/tasks/ada/summary"
NOT_A_ZONE = "must be the name of an IANA time zone in its exact case, such as Europe/Berlin"


def count(ada: ApiClient, query: str) -> int:
    """Return the number of tasks that a query finds."""
    return int(ada("GET", f"?{query}", headers={"Prefer": "count=exact"}).headers["X-Total-Count"])


def test_a_summary_of_nothing(ada: ApiClient) -> None:
    """Zeros, in UTC, by the clock of the service, to the second."""
    answer = ada("GET", SUMMARY)
    assert answer.status_code == 200
    assert answer.json == {
        "now": "2026-02-09T10:00:00",
        "time_zone": "UTC",
        **dict.fromkeys(("open", "done", "overdue", "due_today", "done_today"), 0),
        "lists": [],
        "labels": [],
    }
    assert not {"ETag", "Link", "X-Total-Count"} & {*answer.headers.keys()}


def test_the_numbers_are_those_of_the_lists(ada: ApiClient) -> None:
    """Each one is what the query that says the same finds; the trash does not count."""
    work = ada.create_list("Work")["id"]
    new: list[dict[str, Any]] = [
        {},
        {"due": "2026-02-09", "labels": ["home"]},
        {"due": "2026-02-09T09:59:59", "labels": ["home", "errands"]},
        {"due": "2026-02-09T10:00:00", "list_id": work, "labels": ["Home"]},
        {"due": "2026-02-08", "list_id": work},
        {"due": "2026-02-10"},
        {"status": "completed", "due": "2026-02-09", "labels": ["done"]},
        {"status": "cancelled"},
    ]
    for fields in new:
        ada.create(**fields)
    ada("DELETE", f"/{ada.create(due='2026-02-09', labels=['home'])['id']}")
    found = ada("GET", SUMMARY).json
    now, day = found["now"], "due_after=2026-02-09&due_before=2026-02-10"
    assert {name: found[name] for name in ("open", "done", "overdue", "due_today")} == {
        "open": count(ada, "completed=false"),
        "done": count(ada, "status=completed"),
        "overdue": count(ada, f"completed=false&due_before={now}"),
        "due_today": count(ada, f"completed=false&{day}"),
    }
    assert (found["open"], found["done"], found["overdue"], found["due_today"]) == (6, 1, 2, 3)
    assert found["done_today"] == 1
    assert found["lists"] == [
        {"list_id": None, "open": 4, "overdue": 1},
        {"list_id": work, "open": 2, "overdue": 1},
    ]
    assert found["labels"] == [{"label": "home", "open": 3}, {"label": "errands", "open": 1}]


def test_the_reader_says_what_is_today(ada: ApiClient, clock: TickingClock) -> None:
    """At 23:30 in UTC it is tomorrow in Berlin, and what was done before midnight there is not."""
    clock.now = datetime(2026, 2, 9, 22, 30, 0, 1, UTC)
    ada.create(completed=True)
    ada.create(due="2026-02-10")
    clock.now = datetime(2026, 2, 9, 23, 30, 0, 1, UTC)
    here, there = (
        ada("GET", f"{SUMMARY}?time_zone={zone}").json for zone in ("UTC", "Europe/Berlin")
    )
    assert (here["now"], here["due_today"], here["done_today"]) == ("2026-02-09T23:30:00", 0, 1)
    assert (there["now"], there["due_today"], there["done_today"]) == ("2026-02-10T00:30:00", 1, 0)
    assert there["time_zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("time_zone=CEST", {"?time_zone": NOT_A_ZONE}),
        ("time_zone=europe/berlin", {"?time_zone": NOT_A_ZONE}),
        ("time_zone=../UTC", {"?time_zone": NOT_A_ZONE}),
        ("time_zone=UTC&time_zone=UTC", {"?time_zone": "must be given only once"}),
        ("limit=1", {"?limit": "is not a parameter of this operation"}),
    ],
)
def test_what_is_no_time_zone_is_422(ada: ApiClient, query: str, expected: dict[str, str]) -> None:
    """Each fault of a query is named."""
    assert faults(ada("GET", f"{SUMMARY}?{query}")) == expected


def test_a_look_has_the_headers_of_the_summary(ada: ApiClient) -> None:
    """HEAD: the same without the body; a summary has no tag, so it is never 304."""
    same = {"X-Request-Id": "same", "If-None-Match": "*", "Prefer": "count=exact"}
    read, look = (ada(method, SUMMARY, headers=same) for method in ("GET", "HEAD"))
    assert (read.status_code, look.status_code, look.data) == (200, 200, b"")
    assert [*look.headers] == [*read.headers]
