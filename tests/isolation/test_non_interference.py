"""Non-interference: a user gets the same bytes, whatever other users do."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from tests.http_callers import SETTINGS, ApiClient
from tests.isolation.conftest import empty

from taskservice.adapters.http.api.sync_tokens import encode
from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.app import create_app
from taskservice.core.changes import Position
from taskservice.core.query import sort_fields
from taskservice.core.sync import SyncState
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
RULES = ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY;COUNT=2", None]
MOVES = [{"place": "first"}, {"place": "last"}]


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


Ask = tuple[str, str, Any]
"""A method, a path and a body, None for none."""


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
        self.lists: list[str] = []
        self.another = another
        self.page = ""
        self.token = ""
        self.sequences: list[int] = []

    def do(self, action: Action) -> tuple[int, list[tuple[str, str]], bytes]:
        """Do it, and return the response: status, headers, body."""
        self.actions += 1
        self.seeded.turn(self.number, self.actions)
        answer = self._ask(action)
        if answer.status_code == 201:
            made = self.lists if action.verb == "create list" else self.made
            made.append(answer.json["id"])
        if action.verb in BATCHES and answer.status_code == 200 and answer.json["applied"]:
            results = answer.json["results"]
            self.made += [one["task"]["id"] for one in results if one["status"] == 201]
        if action.verb in CLOSING and answer.status_code == 200:
            following = answer.json["next_id"]
            self.made += [following] if following not in {None, *self.made} else []
        if action.verb == "history" and answer.status_code == 200:
            self.sequences = [one["sequence"] for one in answer.json]
        if action.verb in SYNCS and answer.status_code == 200:
            self.token = answer.json["next"]
        if link := answer.headers.get("Link"):
            self.page = link.partition("<")[2].partition(">")[0]
        return answer.status_code, sorted(answer.headers), answer.data

    def _ask(self, action: Action) -> Any:
        headers = {"X-Request-Id": "same", "Prefer": "count=exact"}
        headers |= {"Idempotency-Key": action.key} if action.key else {}
        whose = self.another if action.steals and self.another else self
        ask = {
            **self._on_tasks(action, whose),
            **self._on_series(action, whose),
            **self._on_lists(action, whose),
            **self._on_changes(action, whose),
            **self._on_trash(action, whose),
            **self._on_many(action, whose),
        }
        method, path, body = ask[action.verb]
        return self.caller(method, path, headers=headers, **({"json": body} if body else {}))

    def _on_tasks(self, action: Action, whose: "User") -> dict[str, Ask]:
        """Return what each verb about tasks sends, with an id of `whose`."""
        one = f"/{self._pick(whose.made, action.n)}"
        sort = SORTS[action.n % len(SORTS)]
        within = "&list_id=inbox" if sort == "position" else ""
        return {
            "create": ("POST", "", {"title": action.word, **planned(action)}),
            "get": ("GET", one, None),
            "edit": ("PATCH", one, {"title": action.word}),
            "complete": ("PATCH", f"{one}/complete", None),
            "delete": ("DELETE", one, None),
            "list": ("GET", f"?limit=2&sort={sort}{within}", None),
            "search": ("GET", f"?q={action.word}", None),
            "plan": ("PATCH", one, planned(action)),
            "planned": ("GET", f"?{QUERIES[action.n]}", None),
            "labels": ("GET", f"/api/tasks/{self.caller.user}/labels", None),
            "page": ("GET", whose.page, None),
        }

    def _on_series(self, action: Action, whose: "User") -> dict[str, Ask]:
        """Return what each verb about series sends, with an id of `whose`."""
        known = self._pick(whose.made, action.n)
        dates = {"due": "2026-03-29", "recurrence": RULES[action.n]}
        return {
            "create recurring": ("POST", "", {"title": action.word, **dates}),
            "recur": ("PATCH", f"/{known}", dates),
            "skip": ("PATCH", f"/{known}", {"status": "cancelled"}),
            "undo": ("PATCH", f"/{known}/complete", {"completed": False}),
            "series": ("GET", f"?series_id={known}&sort=-created_at", None),
        }

    def _on_lists(self, action: Action, whose: "User") -> dict[str, Ask]:
        """Return what each verb about lists, moves and trees sends, with ids of `whose`."""
        one, beside = (self._pick(whose.made, n) for n in (action.n, action.n + 1))
        first = f"/{self._pick(self.made, 0)}"
        lists, known = self.caller.lists, self._pick(whose.lists, action.n)
        option = ("inbox", "delete")[action.n % 2]
        return {
            "create list": ("POST", lists, {"name": action.word}),
            "lists": ("GET", lists, None),
            "get list": ("GET", f"{lists}/{known}", None),
            "rename list": ("PATCH", f"{lists}/{known}", {"name": action.word}),
            "move list": ("PATCH", f"{lists}/{known}/position", MOVES[action.n % 2]),
            "delete list": ("DELETE", f"{lists}/{known}?tasks={option}", None),
            "into list": ("PATCH", first, {"list_id": known}),
            "in list": ("GET", f"?list_id={known}&sort=position", None),
            "move": ("PATCH", f"/{one}/position", MOVES[action.n % 2]),
            "move beside": ("PATCH", f"{first}/position", {"after": beside}),
            "under": ("PATCH", first, {"parent_id": beside}),
            "create below": ("POST", "", {"title": action.word, "parent_id": one}),
            "delete tree": ("DELETE", f"/{one}?subtasks=delete", None),
        }

    def _on_changes(self, action: Action, whose: "User") -> dict[str, Ask]:
        """Return what each verb about changes sends, with a token of `whose`."""
        path = f"/api/tasks/{self.caller.user}/changes"
        limit, start = action.n + 1, Position(0, 0)
        beginning = encode(self.caller.user, SyncState(start, start))
        return {
            "sync": ("GET", f"{path}?limit={limit}", None),
            "go on": ("GET", f"{path}?limit={limit}&since={whose.token}", None),
            "all changes": ("GET", f"{path}?since={beginning}", None),
        }

    def _on_trash(self, action: Action, whose: "User") -> dict[str, Ask]:
        """Return what each verb about trash, history and summary sends, with an id of `whose`."""
        known, trash = self._pick(whose.made, action.n), f"/api/tasks/{self.caller.user}/trash"
        number = [*whose.sequences, 1][min(action.n, len(whose.sequences))]
        return {
            "trash": ("GET", f"{trash}?limit=2", None),
            "get trashed": ("GET", f"{trash}/{known}", None),
            "restore": ("POST", f"{trash}/{known}/restore", None),
            "purge": ("DELETE", f"{trash}/{known}", None),
            "purge all": ("DELETE", trash, None),
            "history": ("GET", f"/{known}/history?limit=2", None),
            "undo change": ("POST", f"/{known}/undo", {"sequence": number}),
            "summary": ("GET", f"/api/tasks/{self.caller.user}/summary", None),
        }

    def _on_many(self, action: Action, whose: "User") -> dict[str, Ask]:
        """Return what each verb about many tasks at once sends, with ids of `whose`.

        A name is the same for all users, and its task may not be created.
        """
        path, known = f"/api/tasks/{self.caller.user}", self._pick(whose.made, action.n)
        new = {"title": action.word, "labels": ["a", action.word], "list_id": None}
        commands = [
            {"op": "create", "ref": "a", "task": {**new, "priority": action.n}},
            {"op": "complete", "id": "$a"},
            {"op": "create", "task": {**new, "parent_id": "$a"}},
            {"op": "update", "id": known, "changes": {"title": action.word}},
            {"op": "create", "task": {**new, "parent_id": known}},
            {"op": "create", "task": {**new, "list_id": self._pick(whose.lists, action.n)}},
            {"op": ("complete", "delete", "restore", "complete")[action.n], "id": known},
        ]
        given = {"commands": commands[: 3 + action.n], "mode": ("atomic", "each")[action.n % 2]}
        names = {"label": action.word.upper(), "new": ("a", "b", "ab", "c")[action.n]}
        one = f"{self.caller.lists}/{self._pick(whose.lists, action.n)}"
        option = ("inbox", "delete")[action.n % 2]
        return {
            "batch": ("POST", f"{path}/batch", given),
            "batch each": ("POST", f"{path}/batch", {"mode": "each", "commands": commands}),
            "dry run": ("POST", f"{path}/batch", {**given, "mode": "each", "dry_run": True}),
            "rename label": ("PATCH", f"{path}/labels", {**names, "limit": action.n + 1}),
            "delete list in steps": ("DELETE", f"{one}?tasks={option}&limit=1", None),
        }

    @staticmethod
    def _pick(ids: list[str], n: int) -> str:
        return ids[n % len(ids)] if ids else str(UUID(int=0))


VERBS = [
    *("create", "get", "edit", "complete", "delete", "list", "search", "page"),
    *("plan", "planned", "labels"),
    *("create recurring", "recur", "skip", "undo", "series"),
    *("create list", "lists", "get list", "rename list", "move list", "delete list"),
    *("sync", "go on", "go on", "all changes"),
    *("trash", "get trashed", "restore", "restore", "purge", "purge all"),
    *("delete", "delete", "history", "history", "undo change", "undo change", "summary"),
    *("batch", "batch", "batch each", "batch each", "dry run"),
    *("rename label", "rename label", "delete list in steps"),
    *("into list", "in list", "move", "move beside", "under", "create below", "delete tree"),
]


CLOSING = {"complete", "plan", "skip"}
BATCHES = {"batch", "batch each"}
SYNCS = {"sync", "go on"}

LOOKS = ["create", "get", "list", "search", "lists", "get list", "in list", "create below"]
LOOKS += ["go on", "all changes", "sync", "go on"]
LOOKS += ["trash", "get trashed", "summary", "restore", "history", "undo change", "purge all"]
LOOKS += ["rename label", "dry run", "batch each", "batch", "labels", "delete list in steps"]
LOOKS_AT_SERIES = ["series", "undo", "recur", "complete", "series"]


SETTLED = [
    (who, Action(verb, n, word, None))
    for who in (0, 1)
    for verb, n, word in [
        *(("create", 0, "a"), ("create", 1, "b"), ("create list", 2, "a")),
        *(("create recurring", 0, "a"), ("complete", 2, "")),
        *(("create", 3, "ab"), ("delete", 0, "")),
    ]
]
"""What each user begins with: a task in the trash and two others, a list, a recurring task and its
successor."""


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


@pytest.mark.parametrize(
    "adapter", [*ADAPTERS[:3], pytest.param(ADAPTERS[3], marks=pytest.mark.lengthy)]
)
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
    interleaved = [*SETTLED, *((who, next(queues[who])) for who in order)]
    alone = [(who, action) for who, action in interleaved if who == 0]
    assert run(request, adapter, alone) == run(request, adapter, interleaved)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_attacker_does_not_affect_a_user(request: pytest.FixtureRequest, adapter: str) -> None:
    """Bob tries every operation on Ada's tasks and lists, with her ids, page and key.

    Also on her trash, and with the numbers of her changes.
    """
    made = [*SETTLED, (0, Action("into list", 0, "", None)), (0, Action("under", 0, "", None))]
    made += [(0, Action(verb, 0, "", None)) for verb in ("list", "sync")]
    made += [(0, Action("create", 0, "b", "k1"))]
    tries = [
        (1, Action(verb, n, "b", key, True))
        for n in range(4)
        for verb in VERBS
        for key in (None, f"k{n}")
    ]
    looks = [(0, Action(verb, 0, "b", "k1" if verb == "create" else None)) for verb in LOOKS]
    looks += [(0, Action(verb, 2, "b", None)) for verb in LOOKS_AT_SERIES]
    assert run(request, adapter, made + looks) == run(request, adapter, made + tries + looks)


def run(request: pytest.FixtureRequest, adapter: str, turns: list[tuple[int, Action]]) -> list[Any]:
    seeded = Seeded()
    return responses_to_first(emptied(request, adapter, seeded), seeded, turns)


def emptied(request: pytest.FixtureRequest, adapter: str, seeded: Seeded) -> OpenWorkspace:
    """Return the port over an adapter that holds nothing."""
    if adapter == "memory":
        return with_seeded_changes(InMemoryStorage(seeded.clock, seeded.new_id), seeded)
    engine: Engine = request.getfixturevalue(adapter)
    if adapter == "sqlite":
        with engine.connect() as connection:
            for table in reversed(OWNED_TABLES):
                connection.execute(delete(table))
    else:
        empty(request.getfixturevalue("database"))
    return with_seeded_changes(SqlStorage(engine, seeded.clock, seeded.new_id), seeded)


def with_seeded_changes(storage: InMemoryStorage | SqlStorage, seeded: Seeded) -> OpenWorkspace:
    """Return the port, whose changes get seeded ids too, of which sync tokens have a part."""
    storage._new_change_id = seeded.new_id  # type: ignore[assignment]
    return storage.open_workspace
