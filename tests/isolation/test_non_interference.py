"""Non-interference: a user gets the same bytes, whatever other users do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from tests.http_callers import SETTINGS, ApiClient
from tests.isolation.conftest import empty

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import idempotency_keys, tasks
from taskservice.app import create_app
from taskservice.core.query import sort_fields
from taskservice.core.task import Task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA, BOB, START

EXAMPLES = settings().max_examples // 4
SORTS = sort_fields(Task)[::-1]
ADAPTERS = ["memory", "sqlite", "role_engine", "pooled_role_engine"]


class Action(NamedTuple):
    """Something that a user does with the n-th of the tasks that they made, or that another did."""

    verb: str
    n: int
    word: str
    key: str | None
    steals: bool = False


QUERIES = [
    "due_before=2026-03-30&time_zone=Europe/Berlin&sort=due",
    "status=needs-action,cancelled&priority=high,none",
    "labels_any=A,b&available_at=2026-03-29",
    "has_due=true&labels_all=ab",
]


def planned(action: Action) -> dict[str, Any]:
    """Return new members of a task."""
    return {
        "due": ["2026-03-29", "2026-03-29T02:30:00", None, "2026-04-01T09:00:00"][action.n],
        "priority": [1, 5, None, 9][action.n],
        "status": ["needs-action", "in-process", "completed", "cancelled"][action.n],
        "labels": [action.word],
    }


class Seeded:
    """A clock and ids that depend on whose which action it is, and on nothing else."""

    def __init__(self) -> None:
        self.now = START
        self.owner = 0
        self.count = 0

    def turn(self, owner: int, action: int) -> None:
        """Begin an action: its moments and ids are the same in every run."""
        self.now = START + timedelta(seconds=action)
        self.owner, self.count = owner, 0

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def new_id(self, at: datetime) -> UUID:
        self.count += 1
        moment = int((at - datetime(1970, 1, 1, tzinfo=at.tzinfo)) / timedelta(milliseconds=1))
        return UUID(int=moment << 80 | 7 << 76 | 0b10 << 62 | self.owner << 16 | self.count)


class User:
    """One user, who remembers the ids of what they made, and may know `another` and theirs."""

    def __init__(
        self, number: int, caller: ApiClient, seeded: Seeded, another: "User | None" = None
    ) -> None:
        self.number = number
        self.caller = caller
        self.seeded = seeded
        self.actions = 0
        self.made: list[str] = []
        self.another = another
        self.page = ""

    def do(self, action: Action) -> tuple[int, list[tuple[str, str]], bytes]:
        """Do it, and return the response: status, headers, body."""
        self.actions += 1
        self.seeded.turn(self.number, self.actions)
        answer = self._ask(action)
        if action.verb == "create" and answer.status_code == 201:
            self.made.append(answer.json["id"])
        if link := answer.headers.get("Link"):
            self.page = link.partition("<")[2].partition(">")[0]
        return answer.status_code, sorted(answer.headers), answer.data

    def _ask(self, action: Action) -> Any:
        headers = {"X-Request-Id": "same"} | ({"Idempotency-Key": action.key} if action.key else {})
        whose = self.another if action.steals and self.another else self
        one = f"/{self._pick(whose.made, action.n)}"
        sort = SORTS[action.n % len(SORTS)]
        ask: dict[str, Callable[[], Any]] = {
            "create": lambda: self.caller(
                "POST", json={"title": action.word, **planned(action)}, headers=headers
            ),
            "get": lambda: self.caller("GET", one, headers=headers),
            "edit": lambda: self.caller("PATCH", one, json={"title": action.word}, headers=headers),
            "complete": lambda: self.caller("PATCH", f"{one}/complete", headers=headers),
            "delete": lambda: self.caller("DELETE", one, headers=headers),
            "list": lambda: self.caller("GET", f"?limit=2&sort={sort}", headers=headers),
            "search": lambda: self.caller(
                "GET", f"?q={action.word}", headers={**headers, "Prefer": "count=exact"}
            ),
            "plan": lambda: self.caller("PATCH", one, json=planned(action), headers=headers),
            "planned": lambda: self.caller("GET", f"?{QUERIES[action.n]}", headers=headers),
            "labels": lambda: self.caller(
                "GET", f"/api/tasks/{self.caller.user}/labels", headers=headers
            ),
            "page": lambda: self.caller("GET", whose.page, headers=headers),
        }
        return ask[action.verb]()

    @staticmethod
    def _pick(ids: list[str], n: int) -> str:
        return ids[n % len(ids)] if ids else str(UUID(int=0))


VERBS = [
    *("create", "get", "edit", "complete", "delete", "list", "search", "page"),
    *("plan", "planned", "labels"),
]


def actions(steals: st.SearchStrategy[bool]) -> st.SearchStrategy[list[Action]]:
    words = st.sampled_from(["a", "b", "ab"])
    keys = st.sampled_from([None, None, "k1", "k2"])
    one = st.builds(Action, st.sampled_from(VERBS), st.integers(0, 3), words, keys, steals)
    return st.lists(one, min_size=1, max_size=12)


def responses_to_first(
    open_workspace: OpenWorkspace, seeded: Seeded, turns: list[tuple[int, Action]]
) -> list[Any]:
    """Run the users' turns on an empty service; return the first one's responses."""
    app = create_app(open_workspace, SETTINGS)
    ada = User(0, ApiClient(app.test_client(), ADA), seeded)
    users = [ada, User(1, ApiClient(app.test_client(), BOB), seeded, ada)]
    answers = [(who, users[who].do(action)) for who, action in turns]
    return [answer for who, answer in answers if who == 0]


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_users_do_not_affect_one_another(
    request: pytest.FixtureRequest, adapter: str, data: st.DataObject
) -> None:
    """Ada gets the same bytes as alone: statuses, headers, bodies, pages, counts."""
    mine = data.draw(actions(st.just(False)), label="Ada's actions")
    theirs = data.draw(actions(st.booleans()), label="Bob's actions")
    order = data.draw(st.permutations([0] * len(mine) + [1] * len(theirs)), label="turns")
    queues = [iter(mine), iter(theirs)]
    interleaved = [(who, next(queues[who])) for who in order]
    alone = [(who, action) for who, action in interleaved if who == 0]
    assert run(request, adapter, alone) == run(request, adapter, interleaved)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_attacker_does_not_affect_a_user(request: pytest.FixtureRequest, adapter: str) -> None:
    """Bob tries every operation on Ada's tasks, with her ids, page and key."""
    made = [(0, Action("create", 0, word, None)) for word in ("a", "b", "ab")]
    made += [(0, Action("create", 0, "b", "k1")), (0, Action("list", 0, "", None))]
    tries = [(1, Action(verb, 0, "b", key, True)) for verb in VERBS for key in (None, "k1")]
    looks = [(0, Action(verb, 0, "b", "k1")) for verb in ("create", "get", "list", "search")]
    assert run(request, adapter, made + looks) == run(request, adapter, made + tries + looks)


def run(request: pytest.FixtureRequest, adapter: str, turns: list[tuple[int, Action]]) -> list[Any]:
    seeded = Seeded()
    return responses_to_first(emptied(request, adapter, seeded), seeded, turns)


def emptied(request: pytest.FixtureRequest, adapter: str, seeded: Seeded) -> OpenWorkspace:
    """Return the port over an adapter that holds nothing."""
    if adapter == "memory":
        return InMemoryStorage(seeded.clock, seeded.new_id).open_workspace
    engine: Engine = request.getfixturevalue(adapter)
    if adapter == "sqlite":
        with engine.connect() as connection:
            for table in (tasks, idempotency_keys):
                connection.execute(delete(table))
    else:
        empty(request.getfixturevalue("database"))
    return SqlStorage(engine, seeded.clock, seeded.new_id).open_workspace
