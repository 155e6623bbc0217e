"""Query parameters that are refused, and cursors that are not of the list."""

import base64
from typing import Any

import pytest
from tests.http_callers import Caller
from tests.problems import faults, problem


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


@pytest.mark.parametrize("value", ["1", "on", "True", "yes", "", "null"])
def test_completed_is_true_or_false(ada: Caller, value: str) -> None:
    """Only the two words are flags."""
    assert faults(ada("GET", f"?completed={value}")) == {"?completed": "must be true or false"}


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
        lambda cursor: "",
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
