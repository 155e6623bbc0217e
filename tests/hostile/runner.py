"""Ada and Bob, each with a task, a list and a task in the trash, and the check of every entry."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from tests.canaries import WATCH, look_at_answer
from tests.hostile.case import Case
from tests.hostile.messages import TASK, message
from tests.hostile.transports import Answer, Transport, read_answer
from tests.secret_values import SECRET

from taskservice.adapters.http.api import cursors, sync_tokens
from taskservice.adapters.jwt import issue
from taskservice.core.query import Sort
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask, TrashQuery

USERS = ("ada", "bob")
ISSUER, AUDIENCE = "https://issuer.example", "tasks"
SETTINGS = {
    "TASKSERVICE_JWT_SECRET": SECRET,
    "TASKSERVICE_JWT_ISSUER": ISSUER,
    "TASKSERVICE_JWT_AUDIENCE": AUDIENCE,
    "TASKSERVICE_RATE_LIMIT": "off",
}
"""What every flavour of the service is set to, beside its database."""

NEW_LIST = b'{"name": "Groceries"}'

DONE = ({"purged": 1, "more": False}, {"done": 0, "more": False})
"""What is answered where the trash is empty then, or the list gone, which had no tasks."""

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}
UNIFORM = {
    "unauthenticated": "a valid bearer token is required",
    "not-your-tasks": "the user in the path is not the subject of the token",
    "task-not-found": "the task does not exist",
    "list-not-found": "the list does not exist",
}
"""What says the same for every reason."""

PREFLIGHTED = "DELETE, GET, HEAD, PATCH, POST, PUT"

MISSING = UUID("01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11")


@cache
def token_of(user: str) -> str:
    now, day = datetime.now(UTC), timedelta(days=1)
    return issue(SECRET, user, lifetime=day, now=now, issuer=ISSUER, audience=AUDIENCE)


def cursor_of(user: str, after: UUID, sort: Sort | None = None) -> str:
    """Return a cursor of the user's list, behind the task `after`."""
    position = (after,) if sort is None else ("Buy milk", after)
    return cursors.encode(user, TaskQuery(after=position, sort=sort or Sort()))


def trash_cursor_of(user: str, content: bytes) -> str:
    """Return a cursor of the user's trash, behind the first task of a page."""
    # It also has a member that no task in the trash has by itself.
    members = {k: v for k, v in orjson.loads(content)[0].items() if k != "purged_after"}
    task = TrashedTask.load(members)
    return cursors.encode(user, TrashQuery(after=(task.trashed_at, task.id)))


class State(NamedTuple):
    """All that a user has: the tasks, the lists, the trash, and where the log ends.

    A sync that begins has the number of the last change in its token.
    """

    tasks: bytes
    lists: bytes
    trash: bytes
    changes: bytes


class CorpusRunner:
    """Two users on one engine. Whatever an entry does is undone before the next.

    Where a proxy is `trusts_proxy`, addresses begin with the prefix that it says.
    Pages of `origins` may read what is answered. `opened` tells how often storage was opened
    so far: a request that did not open it has changed nothing, and nothing is read after it.
    """

    def __init__(
        self,
        exchange: Transport,
        *,
        trusts_proxy: bool = False,
        origins: Collection[str] = (),
        opened: Callable[[], int] | None = None,
    ) -> None:
        self._exchange = exchange
        self._trusts_proxy = trusts_proxy
        self._origins = origins
        self._opened = opened
        self._states: dict[str, State] | None = None
        self.reached_storage = False
        """Whether the last request that was checked may have reached storage."""

    def check(self, case: Case) -> Answer:
        """Send the request of `case`, assert all that is promised of its answer, and return it."""
        before = self._states or {user: self._reset(user) for user in USERS}
        self._states = None
        times = self._opened and self._opened()
        answer = self._send(fill_placeholders(case.request, before), case.method)
        self.reached_storage = self._opened is None or self._opened() != times
        after = {user: self._state(user) for user in USERS} if self.reached_storage else before
        check_answer(case, answer)
        if not case.by_server:
            check_page(case, answer, self._origins)
        assert after["bob"] == before["bob"], "another user's tasks, lists or changes were touched"
        if case.writes:
            prefix = request_header(case, "X-Forwarded-Prefix") if self._trusts_proxy else ""
            prefix = "" if prefix.startswith("//") else prefix
            check_write(case, answer, before["ada"], after["ada"], prefix)
        else:
            assert after["ada"] == before["ada"], "a refused request, or a read, left its mark"
            self._states = after
        return answer

    def _reset(self, user: str) -> State:
        before = self._state(user)
        for name, entities in (("tasks", before.tasks), ("lists", before.lists)):
            for one in orjson.loads(entities):
                assert self._ask(user, "DELETE", f"{name}/{one['id']}").status == 204
        assert self._ask(user, "DELETE", "trash").status == 200
        trashed = self._ask(user, "POST", "tasks", TASK).json["id"]
        assert self._ask(user, "DELETE", f"tasks/{trashed}").status == 204
        assert self._ask(user, "POST", "lists", NEW_LIST).status == 201
        assert self._ask(user, "POST", "tasks", TASK).status == 201
        return self._state(user)

    def _state(self, user: str) -> State:
        answers = {name: self._ask(user, "GET", name) for name in State._fields}
        for answer in answers.values():
            assert answer.status == 200, f"the list of {user} fails: {answer.body!r}"
        return State(**{name: answer.body for name, answer in answers.items()})

    def _ask(self, user: str, method: str, path: str, body: bytes | None = None) -> Answer:
        target = f"/api/tasks/{user}/{path}"
        return self._send(message(method, target, body=body, token=token_of(user)), method)

    def _send(self, octets: bytes, method: str) -> Answer:
        answer = read_answer(self._exchange(octets), method)
        if answer.status >= 400:
            look_at_answer(WATCH, method, answer.status, answer.headers, answer.body)
        return answer


def sent(case: Case) -> Any:
    """Return the body of a case, without the framing of its chunks."""
    body = case.request.partition(b"\r\n\r\n")[2]
    is_chunked = b"\r\nTransfer-Encoding: chunked\r\n" in case.request
    return json.loads(b"".join(body.split(b"\r\n")[1::2]) if is_chunked else body)


def fill_placeholders(request: bytes, states: Mapping[str, State]) -> bytes:
    """Return the request with what it names in braces filled in, and its body framed as before."""
    names = placeholders(states)
    head, end, body = request.partition(b"\r\n\r\n")
    filled, length = _filled(body, names), b"\r\nContent-Length: %d"
    if filled != body:
        head = head.replace(length % len(body), length % len(filled))
    return _filled(head, names) + end + filled


def _filled(octets: bytes, names: Mapping[str, str]) -> bytes:
    for name, value in names.items():
        octets = octets.replace(b"{%s}" % name.encode(), value.encode())
    return octets


def placeholders(states: Mapping[str, State]) -> dict[str, str]:
    """Return what stands for each name in braces."""
    own, foreign = (UUID(orjson.loads(states[user].tasks)[0]["id"]) for user in USERS)
    own_list, foreign_list = (orjson.loads(states[user].lists)[0]["id"] for user in USERS)
    trashed, foreign_trashed = (orjson.loads(states[user].trash)[0]["id"] for user in USERS)
    sequence = sync_tokens.decode(orjson.loads(states["ada"].changes)["next"], "ada").seen.sequence
    return {
        "own": f"{own}",
        "OWN": f"{own}".upper(),
        "own without dashes": own.hex,
        "foreign": f"{foreign}",
        "own list": own_list,
        "foreign list": foreign_list,
        "trashed": trashed,
        "foreign trashed": foreign_trashed,
        # The task is created last, before it the list, and before that one is deleted.
        "sequence": f"{sequence}",
        "sequence of the removal": f"{sequence - 2}",
        "missing": f"{MISSING}",
        "ada": token_of("ada"),
        "bob": token_of("bob"),
        "cursor": cursor_of("ada", own),
        "cursor by title": cursor_of("ada", own, Sort(field="title", descending=False)),
        "cursor of bob": cursor_of("bob", foreign),
        "trash cursor": trash_cursor_of("ada", states["ada"].trash),
        "trash cursor of bob": trash_cursor_of("bob", states["bob"].trash),
        "history cursor": cursors.encode_number("ada", f"{own}", 2**62),
        "history cursor of bob": cursors.encode_number("bob", f"{own}", 2**62),
        "trashed history cursor": cursors.encode_number("ada", trashed, 2**62),
    }


def check_answer(case: Case, answer: Answer) -> None:
    """Assert that `answer` is the one of `case`, whole, and the only one."""
    assert answer.status == case.status, answer.body
    assert answer.more == b"", "one request was answered twice"
    if case.by_server:
        assert answer.headers.get_content_type() in {"text/html", "text/plain"}
        assert "X-Request-Id" not in answer.headers
        return
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]
    if case.status == 304:
        assert not {"Content-Type", "Link"} & set(answer.headers.keys())
    if case.status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    if case.status == 405:
        assert case.method not in answer.headers["Allow"].split(", ")
    if case.problem is not None:
        check_problem(case, answer)


def check_problem(case: Case, answer: Answer) -> None:
    """Assert that `answer` is problem details, with all members and no fault but those named."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    if case.method == "HEAD":
        assert answer.body == b""
        return
    body = answer.json
    assert (body["type"], body["status"]) == (f"/problems/{case.problem}", case.status)
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert isinstance(body["detail"], str)
    assert body["detail"] == UNIFORM.get(body["type"].removeprefix("/problems/"), body["detail"])
    assert body["instance"].startswith("/")
    assert places(body) == set(case.at)
    assert body.keys() == MEMBERS | ({"errors"} if case.at else set())


def places(problem: Mapping[str, Any]) -> set[str]:
    """Return the places that problem details name, as a case has them."""
    return {
        error["pointer"] if "pointer" in error else f"?{error['parameter']}"
        for error in problem.get("errors", [])
    }


def check_page(case: Case, answer: Answer, origins: Collection[str]) -> None:
    """Assert that a page may read `answer` where its origin is one of `origins`, and no other may.

    A cache is told that it depends on who asks (the Fetch standard, sections 3.3 and 4.8).
    """
    cors_headers = {name for name in answer.headers if name.startswith("Access-Control-")}
    page = request_header(case, "Origin")
    assert ("Origin" in answer.headers.get("Vary", "").split(", ")) == bool(origins)
    assert answer.headers["Access-Control-Allow-Origin"] == (page if page in origins else None)
    if page not in origins:
        assert cors_headers == set()
    elif asked := request_header(case, "Access-Control-Request-Method"):
        known = PREFLIGHTED if asked in PREFLIGHTED.split(", ") else None
        assert answer.headers["Access-Control-Allow-Methods"] == known
    else:
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"].split(", ")


def request_header(case: Case, name: str) -> str:
    """Return the value of a header of the request, nothing without it."""
    found = re.search(rb"\r\n%s: ([^\r]*)\r\n" % name.encode(), case.request)
    return found[1].decode("latin-1") if found else ""


def check_write(case: Case, answer: Answer, before: State, state: State, prefix: str) -> None:
    """Assert that what a write was answered is what its owner has then."""
    name = case.collection.rpartition("/")[2]
    if answer.status == 204 or answer.json in DONE:
        assert orjson.loads(getattr(state, name)) == []
        return
    if name == "labels":
        # No task has a label, so there is none to change.
        assert state == before
        assert answer.json == {"label": sent(case)["new"], "open": 0, "all": 0, "more": False}
        return
    if name == "batch":
        check_batch(case, answer, before, state)
        return
    entity = answer.json
    kept = {"tasks": [*orjson.loads(state.tasks), *orjson.loads(state.trash)]}
    kept["trash"], kept["lists"] = orjson.loads(state.tasks), orjson.loads(state.lists)
    assert entity in kept[name]
    assert answer.headers["ETag"] == f'"{entity["version"]}"'
    is_new = answer.status == 201 or name == "trash"
    collection = case.collection.replace("/trash", "/tasks")
    location = f"{prefix}{collection}/{entity['id']}" if is_new else None
    assert answer.headers["Location"] == location


def check_batch(case: Case, answer: Answer, before: State, after: State) -> None:
    """Assert that a batch has the results of its entry, and that its owner has their tasks."""
    results = answer.json["results"]
    applied = not sent(case).get("dry_run", False)
    assert answer.json == {"applied": applied, "results": results}
    assert tuple(one["status"] for one in results) == case.statuses
    problems = [one["problem"] for one in results if one["status"] >= 400]
    assert {place for one in problems for place in places(one)} == set(case.at)
    for problem in problems:
        assert problem.keys() == MEMBERS | {"errors"}
        assert problem["request_id"] == answer.headers["X-Request-Id"]
        assert problem["detail"] == UNIFORM.get(problem["type"][10:], problem["detail"])
    if not applied or len(problems) == len(results):
        assert after == before
        return
    tasks = {one["task"]["id"]: one["task"] for one in results if "task" in one}
    kept = {one["id"]: one for one in orjson.loads(after.tasks) + orjson.loads(after.trash)}
    assert tasks.keys() <= kept.keys()
    assert all(one["version"] <= kept[task_id]["version"] for task_id, one in tasks.items())
