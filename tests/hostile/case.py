"""What an entry of the corpus is: a request, and the one answer that is right."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_has_origin_or_proxy_header = re.compile(
    rb"\r\n(?:Origin|Access-Control-[\w-]+|(?:X-)?Forwarded[\w-]*):", re.IGNORECASE
).search

CONNECTION_CLOSED = 0
"""Instead of a status: the connection is closed without an answer."""


class Case(NamedTuple):
    """A request and its answer: a status, and the problem unless it is a success.

    `at` names the faults of a 422 or a 400, as pointers and as `?` with a parameter. `fault` is
    the threat that the entry is for, one of those that `THREATS` lists. `by_server` marks an
    answer of gunicorn's own, to what never reaches the application. A batch that is run has the
    status of each command in `statuses`, and the faults of all of them in `at`.
    """

    name: str
    request: bytes
    status: int
    problem: str | None
    fault: int
    at: tuple[str, ...] = ()
    by_server: bool = False
    statuses: tuple[int, ...] = ()

    @property
    def method(self) -> str:
        return self.request.partition(b" ")[0].decode("latin-1")

    @property
    def collection(self) -> str:
        """The path of the tasks or the lists that the request is about."""
        target = self.request.split(b" ", 2)[1].partition(b"?")[0].decode("latin-1")
        return "/".join(target.split("/")[:5])

    @property
    def writes(self) -> bool:
        """Tell whether this is a write that is accepted."""
        return 200 <= self.status < 300 and self.method in {"POST", "PUT", "PATCH", "DELETE"}

    @property
    def has_origin_or_proxy_header(self) -> bool:
        """Tell whether the request has a header for those who serve other origins, or a proxy."""
        return _has_origin_or_proxy_header(self.request) is not None


Requests = Mapping[str, bytes]


def accepted(fault: int, status: int, requests: Requests) -> Iterator[Case]:
    """Yield entries that look odd and are right."""
    for name, request in requests.items():
        yield Case(name, request, status, None, fault)


def refused(
    fault: int, status: int, problem: str, requests: Requests, *, at: tuple[str, ...] = ()
) -> Iterator[Case]:
    """Yield entries that are refused with `problem`, which may name places."""
    for name, request in requests.items():
        yield Case(name, request, status, problem, fault, at)


def invalid(fault: int, at: str | tuple[str, ...], requests: Requests) -> Iterator[Case]:
    """Yield entries that are 422, with a fault `at` each of these places and nowhere else."""
    places = (at,) if isinstance(at, str) else at
    for name, request in requests.items():
        yield Case(name, request, 422, "invalid-request", fault, places)


def by_server(fault: int, status: int, requests: Requests) -> Iterator[Case]:
    """Yield entries that gunicorn itself answers, so that only a socket can show it."""
    for name, request in requests.items():
        yield Case(name, request, status, None, fault, by_server=True)


THREATS = {
    1: "no valid token",
    2: "another user's path",
    3: "another user's task",
    4: "fields that are not the caller's to set",
    5: "lists and searches",
    6: "another user's cursor, tag or key",
    7: "users and paths that look alike",
    8: "headers that stand in for something",
    9: "HEAD and OPTIONS",
    12: "algorithms of tokens",
    13: "keys that a token names or brings",
    14: "times, issuers and audiences of tokens",
    15: "subjects of tokens",
    16: "tokens in another form",
    17: "tokens in another place",
    21: "bodies that are no JSON",
    22: "bodies of another type or size",
    23: "parameters",
    24: "texts and times at their limits",
    25: "ids",
    26: "methods, conditions, keys and framing",
    27: "searches that cost, and what might forge a header or a line of the log",
}
"""The threats that a request can pose; the others are tested elsewhere."""
