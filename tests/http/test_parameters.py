"""Query parameters that are refused, and cursors that are not of the list."""

import base64
from typing import Any

import pytest
from flask import Flask
from tests.http_callers import Caller
from tests.problem_details import faults, problem

from taskservice.adapters.http.api import schemas
from taskservice.adapters.http.protocol.request_parser import ParametersSchema

QUERIES = [
    kind()
    for kind in vars(schemas).values()
    if isinstance(kind, type) and issubclass(kind, ParametersSchema)
]


@pytest.mark.parametrize(
    "limit", ["0", "-1", "201", "1000000000", "1_0", "%201", "%2B1", "1.0", "", "１", "0x1", "1e1"]
)
def test_a_limit_is_from_1_to_200(ada: Caller, limit: str) -> None:
    """A limit is ASCII digits within its bounds, and nothing that resembles them."""
    assert faults(ada("GET", f"?limit={limit}")) == {"?limit": "must be from 1 to 200"}


@pytest.mark.parametrize("limit", ["1", "200", "007"])
def test_a_limit_within_bounds_is_taken(ada: Caller, limit: str) -> None:
    """Both ends of the range are in it."""
    assert ada("GET", f"?limit={limit}").status_code == 200


@pytest.mark.parametrize("value", ["1", "on", "True", "yes", "%20", "null"])
def test_completed_is_true_or_false(ada: Caller, value: str) -> None:
    """Only the two words are flags."""
    assert faults(ada("GET", f"?completed={value}")) == {"?completed": "must be true or false"}


@pytest.mark.parametrize("query", ["q=", "completed=", "cursor=", "q=&completed=&cursor=", "q"])
def test_an_empty_search_asks_for_nothing(ada: Caller, query: str) -> None:
    """What a form or a typed hook sends before anybody has filled it in counts as absent."""
    made = [ada.create(), ada.create(completed=True)]
    assert ada("GET", f"?{query}").json == made[::-1]
    link = ada("GET", f"?{query}&limit=1").headers["Link"]
    following = link.removeprefix("<").removesuffix('>; rel="next"')
    assert ada("GET", following).json == made[:1]


@pytest.mark.parametrize("name", ["limit", "sort", "created_after", "updated_before"])
def test_an_empty_value_is_none_elsewhere(ada: Caller, name: str) -> None:
    """A number, an order and a time are never empty."""
    assert faults(ada("GET", f"?{name}=")).keys() == {f"?{name}"}


def test_an_empty_value_beside_another_is_given_twice(ada: Caller) -> None:
    """Nobody can tell which of two was meant."""
    assert faults(ada("GET", "?q=&q=milk")) == {"?q": "must be given only once"}


def test_a_parameter_is_known_and_given_once(ada: Caller) -> None:
    """Unknown and repeated parameters are refused by name, all at once."""
    assert faults(ada("GET", "?limit=1&limit=2&completd=true")) == {
        "?limit": "must be given only once",
        "?completd": "is not a parameter of this operation",
    }


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_one_task_takes_no_parameters(ada: Caller, method: str) -> None:
    """A parameter that would be ignored is refused."""
    task = ada.create()
    response = ada(method, f"/{task['id']}?version=1")
    assert faults(response) == {"?version": "is not a parameter of this operation"}
    assert ada("GET").json == [task]


@pytest.mark.parametrize("prefer", ["", "count=exact"])
@pytest.mark.parametrize("schema", QUERIES)
def test_no_query_means_what_an_empty_one_does(
    app: Flask, schema: ParametersSchema, prefer: str
) -> None:
    """What is known without a look at the parameters is what a look would find."""
    with app.test_request_context("/", headers={"Prefer": prefer}):
        assert schema.defaults() == schema.load({})


def cursor_of(caller: Caller, query: str = "") -> str:
    """Return a cursor of the caller's list."""
    for _ in range(3):
        caller.create()
    link: str = caller("GET", f"?limit=1{query}").headers["Link"]
    return link.partition("cursor=")[2].partition("&")[0].partition(">")[0]


def change_last_bit(cursor: str) -> str:
    data = bytearray(base64.urlsafe_b64decode(cursor + "=="))
    data[-1] ^= 1
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "alter",
    [
        lambda cursor: "x",
        lambda cursor: cursor[:-1],
        lambda cursor: cursor + "A",
        lambda cursor: cursor + "%3D",
        lambda cursor: "B" + cursor[1:],
        lambda cursor: cursor.replace("A", "!", 1) + "!",
        lambda cursor: cursor + "%00",
        lambda cursor: "%C3%A4",
        lambda cursor: "A" * 5000,
        change_last_bit,
    ],
)
def test_an_altered_cursor_is_400(ada: Caller, alter: Any) -> None:
    """What is not a cursor, or no longer one, is refused."""
    problem(ada("GET", f"?cursor={alter(cursor_of(ada))}"), 400, "malformed-request")


def test_a_cursor_is_bound_to_its_owner_and_filter(ada: Caller, bob: Caller) -> None:
    """A cursor of another user, or of another list of the same, is refused."""
    mine, open_ones = cursor_of(ada), cursor_of(ada, "&completed=false")
    problem(bob("GET", f"?cursor={mine}"), 400, "malformed-request")
    problem(ada("GET", f"?cursor={open_ones}"), 400, "malformed-request")
    problem(ada("GET", f"?completed=true&cursor={open_ones}"), 400, "malformed-request")
    assert ada("GET", f"?completed=false&cursor={open_ones}").status_code == 200


def test_a_page_may_change_its_length(ada: Caller) -> None:
    """The length of a page is not part of what a cursor is bound to."""
    assert len(ada("GET", f"?limit=2&cursor={cursor_of(ada)}").json) == 2


@pytest.mark.parametrize(
    "moment",
    [
        "2026-02-09",
        "2026-02-09T10:00:00",
        "2026-02-09T10:00:60Z",
        "2026-02-09T25:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-02-09T10:00:00%2B01",
        "2026-02-09T10:00:00 01:00",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:30:00%2B01:00",
        "9999-01-01T00:00:00Z",
        "0001-01-01T00:00:00%2B23:59",
        "20260209T100000Z",
        "1770631200",
        "",
        "２026-02-09T10:00:00Z",
    ],
)
def test_a_moment_is_a_time_with_an_offset(ada: Caller, moment: str) -> None:
    """A date, a local time, a second 60 or a year out of range is refused by name."""
    for name in ("created_after", "created_before", "updated_after", "updated_before"):
        (detail,) = faults(ada("GET", f"?{name}={moment}")).values()
        assert detail.startswith("must be an RFC 3339 time such as 2026-02-09T10:00:00Z: ")


def test_a_plus_that_an_address_has_made_a_space_is_named(ada: Caller) -> None:
    """What is most often wrong with an offset is said with it."""
    asked = faults(ada("GET", "?created_after=2026-02-09T10:00:00+01:00"))
    assert asked["?created_after"].endswith("; write + as %2B in an address")


def test_lists_are_filtered_by_time(ada: Caller) -> None:
    """After is inclusive, before exclusive; any offset is the moment that it means."""
    first, second, third = (ada.create(title=f"{n}") for n in range(3))
    at = second["created_at"]
    assert ada("GET", f"?created_after={at}").json == [third, second]
    assert ada("GET", f"?created_before={at}").json == [first]
    abroad = at.replace("10:00", "11:00").replace("Z", "%2B01:00")
    assert ada("GET", f"?updated_after={abroad}").json == [third, second]
    assert ada("GET", f"?updated_before={abroad}").json == [first]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x" * 256, "must be at most 255 characters"),
        ("a%00b", "must not contain control characters"),
    ],
)
def test_a_search_is_text(ada: Caller, text: str, fault: str) -> None:
    """A search for nothing, for too much, or for what no task can hold is refused."""
    assert faults(ada("GET", f"?q={text}")) == {"?q": fault}


def test_lists_are_searched(ada: Caller) -> None:
    """The case does not matter, wildcards are letters, and every letter counts."""
    milk, percent = ada.create(title="Buy MILK"), ada.create(title="x", description="100 % Straße")
    assert ada("GET", "?q=milk").json == [milk]
    assert ada("GET", "?q=STRASSE").json == [percent]
    assert ada("GET", "?q=%25").json == [percent]
    assert ada("GET", "?q=_").json == []


def test_lists_are_sorted(ada: Caller) -> None:
    """Each field in both directions, ties by id in the same direction."""
    b, a1, a2 = (ada.create(title=title) for title in ("b", "a", "a"))
    b = ada("PATCH", f"/{b['id']}/complete").json
    expected = {
        "created_at": [b, a1, a2],
        "-created_at": [a2, a1, b],
        "updated_at": [a1, a2, b],
        "-updated_at": [b, a2, a1],
        "title": [a1, a2, b],
        "-title": [b, a2, a1],
    }
    for sort, tasks in expected.items():
        assert ada("GET", f"?sort={sort}").json == tasks
    words = "created_at, -created_at, updated_at, -updated_at, title, -title"
    assert faults(ada("GET", "?sort=id")) == {"?sort": f"must be one of {words}"}


@pytest.mark.parametrize("sort", ["title", "-title", "updated_at", "-updated_at", "created_at"])
def test_pages_of_every_sort_lead_on(ada: Caller, sort: str) -> None:
    """`Link` leads through a sorted and filtered list, keeping every other parameter."""
    made = [ada.create(title=f"Task {n % 3} ä&=+%") for n in range(7)]
    address, seen = f"?sort={sort}&q=%C3%A4%26%3D%2B%25&limit=2", []
    while address:
        response = ada("GET", address)
        seen += response.json
        link = response.headers.get("Link", "")
        address = link.removeprefix("<").removesuffix('>; rel="next"')
        assert ("q=%C3%A4%26%3D%2B%25" in address) == bool(address)
    assert sorted(task["id"] for task in seen) == [task["id"] for task in made]


def test_a_cursor_is_bound_to_its_sort_and_search(ada: Caller) -> None:
    """A cursor of one order or search is none of another."""
    cursor = cursor_of(ada, "&sort=title&q=milk")
    assert ada("GET", f"?sort=title&q=milk&cursor={cursor}").status_code == 200
    for other in ("sort=-title&q=milk", "sort=title", "q=milk", "sort=title&q=mil"):
        problem(ada("GET", f"?{other}&cursor={cursor}"), 400, "malformed-request")


COUNTS = [
    "count=exact",
    "Count=Exact",
    "respond-async, count=exact",
    'count="exact"',
    'count = "ex\\act" ; x="a, b"',
    'x="a\\", b", count=exact',
]
NO_COUNTS = [
    "count=planned",
    "xcount=exact",
    "co unt=exact",
    'count="exact',
    'count="exact,"',
    'count="exact;"',
    'x="a, count=exact, b"',
    "x; count=exact",
]


@pytest.mark.parametrize("prefer", COUNTS)
def test_a_count_is_returned_if_preferred(ada: Caller, prefer: str) -> None:
    """`Prefer: count=exact` adds the number of all tasks, whatever the page holds."""
    for n in range(3):
        ada.create(completed=n == 0)
    counted = ada("GET", "?limit=1&completed=false", headers={"Prefer": prefer})
    assert counted.headers["X-Total-Count"] == "2"
    assert counted.headers["Preference-Applied"] == "count=exact"


@pytest.mark.parametrize("headers", [{}, *({"Prefer": prefer} for prefer in NO_COUNTS)])
def test_no_count_is_returned_if_not_preferred(ada: Caller, headers: dict[str, str]) -> None:
    """What only looks like the preference, in another's quotes too, is passed over."""
    plain = ada("GET", headers=headers)
    assert plain.status_code == 200
    assert "X-Total-Count" not in plain.headers
    assert "Preference-Applied" not in plain.headers
