"""Query parameters and cursors; `tests/hostile/queries.py` has more that are refused."""

import base64
from typing import Any

import pytest
from flask import Flask
from marshmallow import missing
from tests.http_callers import ApiClient
from tests.problem_details import faults, problem

from taskservice.adapters.http.api import schemas
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.core.query import sort_fields
from taskservice.core.task import Task

QUERIES = [
    kind()
    for kind in vars(schemas).values()
    if isinstance(kind, type) and issubclass(kind, ParametersSchema)
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", {"?limit": "must be from 1 to 200"}),
        ("completed=1", {"?completed": "must be true or false"}),
        ("q=&q=milk", {"?q": "must be given only once"}),
        (
            "limit=1&limit=2&completd=true",
            {
                "?limit": "must be given only once",
                "?completd": "is not a parameter of this operation",
            },
        ),
        (f"q={'x' * 256}", {"?q": "must be at most 255 characters"}),
        ("q=a%00b", {"?q": "must not contain control characters"}),
    ],
)
def test_every_fault_of_a_query_is_named(
    ada: ApiClient, query: str, expected: dict[str, str]
) -> None:
    assert faults(ada("GET", f"?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        *(
            (f"tasks=inbox&limit={text}", {"?limit": "must be from 1 to 1000"})
            for text in ("0", "-1", "1001", "", "x", "1.0")
        ),
        ("limit=1000", {"?limit": "needs tasks"}),
        ("tasks=inbox&limit=1&limit=1", {"?limit": "must be given only once"}),
        ("tasks=trash", {"?tasks": "must be one of inbox, delete"}),
    ],
)
def test_every_fault_of_a_deletion_of_a_list_is_named(
    ada: ApiClient, query: str, expected: dict[str, str]
) -> None:
    """Nothing is deleted; a limit alone does not say what becomes of the tasks."""
    path = f"{ada.lists}/{ada.create_list()['id']}"
    assert faults(ada("DELETE", f"{path}?{query}")) == expected
    assert ada("GET", path).status_code == 200


@pytest.mark.parametrize("query", ["q=", "completed=", "cursor=", "q=&completed=&cursor=", "q"])
def test_an_empty_search_asks_for_nothing(ada: ApiClient, query: str) -> None:
    """What a form or a typed hook sends before anybody has filled it in counts as absent."""
    made = [ada.create(), ada.create(completed=True)]
    assert ada("GET", f"?{query}").json == made[::-1]
    link = ada("GET", f"?{query}&limit=1").headers["Link"]
    following = link.removeprefix("<").removesuffix('>; rel="next"')
    assert ada("GET", following).json == made[:1]


@pytest.mark.parametrize("prefer", ["", "count=exact"])
@pytest.mark.parametrize("schema", QUERIES)
def test_no_query_means_what_an_empty_one_does(
    app: Flask, schema: ParametersSchema, prefer: str
) -> None:
    """What is known without a look at the parameters is what a look would find."""
    with app.test_request_context("/", headers={"Prefer": prefer}):
        assert schema.defaults() == schema.load({})


def cursor_of(caller: ApiClient, query: str = "") -> str:
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
    "alter", [lambda cursor: cursor[:-1], lambda cursor: "B" + cursor[1:], change_last_bit]
)
def test_an_altered_cursor_is_400(ada: ApiClient, alter: Any) -> None:
    """What is not a cursor, or no longer one, is refused."""
    problem(ada("GET", f"?cursor={alter(cursor_of(ada))}"), 400, "malformed-request")


def test_a_cursor_is_bound_to_its_list(ada: ApiClient) -> None:
    """A cursor of one order, search or filter is none of another."""
    query = "sort=title&q=milk&completed=false&list_id=inbox"
    cursor = cursor_of(ada, f"&{query}")
    assert ada("GET", f"?{query}&cursor={cursor}").status_code == 200
    for old, new in (
        *(("sort=title", "sort=-title"), ("sort=title&", ""), ("q=milk&", ""), ("milk", "mil")),
        *(("&completed=false", ""), ("false", "true")),
        *(("&list_id=inbox", ""), ("inbox", "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11")),
    ):
        other = query.replace(old, new)
        problem(ada("GET", f"?{other}&cursor={cursor}"), 400, "malformed-request")


def test_a_page_may_change_its_length(ada: ApiClient) -> None:
    """The length of a page is not part of what a cursor is bound to."""
    assert len(ada("GET", f"?limit=2&cursor={cursor_of(ada)}").json) == 2


def test_a_moment_is_a_time_with_an_offset(ada: ApiClient) -> None:
    for name in ("created_after", "created_before", "updated_after", "updated_before"):
        (detail,) = faults(ada("GET", f"?{name}=2026-02-09")).values()
        assert detail.startswith("must be an RFC 3339 time such as 2026-02-09T10:00:00Z: ")


def test_a_plus_that_an_address_has_made_a_space_is_named(ada: ApiClient) -> None:
    """What is most often wrong with an offset is said with it."""
    asked = faults(ada("GET", "?created_after=2026-02-09T10:00:00+01:00"))
    assert asked["?created_after"].endswith("; write + as %2B in an address")


def test_lists_are_filtered_by_time(ada: ApiClient) -> None:
    """After is inclusive, before exclusive; any offset is the moment that it means."""
    first, second, third = (ada.create(title=f"{n}") for n in range(3))
    at = second["created_at"]
    assert ada("GET", f"?created_after={at}").json == [third, second]
    assert ada("GET", f"?created_before={at}").json == [first]
    abroad = at.replace("10:00", "11:00").replace("Z", "%2B01:00")
    assert ada("GET", f"?updated_after={abroad}").json == [third, second]
    assert ada("GET", f"?updated_before={abroad}").json == [first]


def test_lists_are_searched(ada: ApiClient) -> None:
    """The case does not matter, wildcards are letters, and every letter counts."""
    milk, percent = ada.create(title="Buy MILK"), ada.create(title="x", description="100 % Straße")
    assert ada("GET", "?q=milk").json == [milk]
    assert ada("GET", "?q=STRASSE").json == [percent]
    assert ada("GET", "?q=%25").json == [percent]
    assert ada("GET", "?q=_").json == []


def test_lists_are_sorted(ada: ApiClient) -> None:
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
    words = ", ".join(f"{field}, -{field}" for field in sort_fields(Task))
    assert faults(ada("GET", "?sort=id")) == {"?sort": f"must be one of {words}"}


@pytest.mark.parametrize("sort", ["title", "-title", "updated_at", "-updated_at", "created_at"])
def test_pages_of_every_sort_lead_on(ada: ApiClient, sort: str) -> None:
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
def test_a_count_is_returned_if_preferred(ada: ApiClient, prefer: str) -> None:
    """`Prefer: count=exact` adds the number of all tasks, whatever the page holds."""
    for n in range(3):
        ada.create(completed=n == 0)
    counted = ada("GET", "?limit=1&completed=false", headers={"Prefer": prefer})
    assert counted.headers["X-Total-Count"] == "2"
    assert counted.headers["Preference-Applied"] == "count=exact"


@pytest.mark.parametrize("headers", [{}, *({"Prefer": prefer} for prefer in NO_COUNTS)])
def test_no_count_is_returned_if_not_preferred(ada: ApiClient, headers: dict[str, str]) -> None:
    """What only looks like the preference, in another's quotes too, is passed over."""
    plain = ada("GET", headers=headers)
    assert plain.status_code == 200
    assert "X-Total-Count" not in plain.headers
    assert "Preference-Applied" not in plain.headers


def test_every_parameter_is_optional_and_has_no_default_of_the_schema() -> None:
    """A query is loaded without a look at absent parameters."""
    assert QUERIES
    for query in QUERIES:
        for name, one in query.load_fields.items():
            assert (one.required, one.load_default) == (False, missing), name
