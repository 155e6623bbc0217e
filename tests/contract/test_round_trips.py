"""How many statements a request sends, each of which is a round trip to the database.

A transaction begins with one that sets the owner, and ends with COMMIT. On PostgreSQL a write
takes its number and logs its change in the same statement. SQLite has no round trips; there a
write is a transaction of several statements.
"""

from itertools import count
from string import Template
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.contract.test_statements import sent
from tests.http_callers import ApiClient, application

from taskservice.adapters.sql.storage.repository import SqlStorage

KEY = {"Idempotency-Key": "key"}

REQUESTS = {
    'POST tasks {"title": "A"}': 1,
    'POST tasks {"title": "A", "list_id": "$groceries"}': 1,
    'POST tasks {"title": "A", "parent_id": "$parent"}': 6,
    'POST tasks {"title": ""}': 0,
    'POST tasks {"title": "A", "due": "2026-03-01", "recurrence": "FREQ=DAILY"}': 1,
    'POST tasks {"title": "A", "due": "2026-03-01", "recurrence": "FREQ=HOURLY"}': 0,
    'POST lists {"name": "A"}': 6,
    "GET tasks?list_id=$groceries&sort=position": 1,
    'PATCH tasks/$first {"title": "B"}': 2,
    'PATCH tasks/$child {"title": "B", "list_id": "$groceries", "parent_id": "$parent"}': 2,
    "PATCH tasks/$first/complete": 2,
    "GET tasks?series_id=$daily&sort=-created_at": 1,
    'PATCH tasks/$daily {"title": "B"}': 2,
    'PATCH tasks/$first {"due": "2026-03-01", "recurrence": "FREQ=DAILY"}': 8,
    'PATCH tasks/$daily {"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}': 1,
    'PATCH tasks/$daily {"recurrence": "FREQ=WEEKLY"}': 2,
    'PATCH tasks/$daily {"recurrence": "FREQ=HOURLY"}': 0,
    'PATCH tasks/$daily {"recurrence": null}': 8,
    "PATCH tasks/$daily/complete": 11,
    'PATCH tasks/$daily {"status": "cancelled"}': 11,
    "PATCH tasks/$done/complete": 1,
    'PATCH tasks/$done/complete {"completed": false}': 10,
    "DELETE tasks/$daily": 2,
    'PATCH tasks/$first {"list_id": "$groceries"}': 10,
    'PATCH tasks/$first {"parent_id": "$second"}': 10,
    'PATCH tasks/$first/position {"after": "$second"}': 8,
    'PATCH tasks/$first/position {"before": "$third"}': 8,
    'PATCH tasks/$third/position {"place": "first"}': 7,
    'PATCH tasks/$first/position {"place": "last"}': 7,
    'PATCH tasks/$second/position {"after": "$first"}': 6,
    "DELETE tasks/$first": 2,
    "DELETE tasks/$parent": 11,
    "DELETE tasks/$parent?subtasks=delete": 6,
    "DELETE lists/$empty": 2,
    "DELETE lists/$groceries?tasks=inbox": 9,
    "DELETE lists/$groceries?tasks=delete": 8,
    "GET trash": 1,
    "GET trash?limit=1": 1,
    "GET trash/$removed": 1,
    "POST trash/$removed/restore": 7,
    "POST trash/$root/restore": 8,
    "POST trash/$orphan/restore": 9,
    "POST trash/$recurring/restore": 7,
    "POST trash/$first/restore": 3,
    "DELETE trash/$removed": 2,
    "DELETE trash/$first": 1,
    "DELETE trash": 5,
    "GET tasks/$edited/history": 2,
    "GET tasks/$edited/history?limit=1": 2,
    "GET tasks/$removed/history": 3,
    'POST tasks/$edited/undo {"sequence": $edit}': 8,
    'POST tasks/$edited/undo {"sequence": $overtaken}': 5,
    'POST tasks/$edited/undo {"sequence": $creation}': 10,
    'POST tasks/$removed/undo {"sequence": $removal}': 10,
    'POST tasks/$first/undo {"sequence": $edit}': 4,
    'POST tasks/$first/undo {"sequence": 0}': 0,
    "GET summary": 6,
    'PATCH labels {"label": "shop", "new": "market"}': 10,
    'PATCH labels {"label": "shop", "new": "SHOP"}': 10,
    'PATCH labels {"label": "nowhere", "new": "market"}': 9,
    'PATCH labels {"label": "shop", "new": "market", "limit": 1}': 9,
    "DELETE lists/$large?tasks=inbox&limit=2": 11,
    "DELETE lists/$large?tasks=inbox&limit=100": 9,
    "DELETE lists/$large?tasks=delete&limit=2": 10,
}
WITH_KEY = {
    'POST tasks {"title": "A"}': 5,
    'PATCH tasks/$first {"title": "B"}': 6,
    "DELETE tasks/$first": 6,
    "POST trash/$removed/restore": 9,
    "DELETE trash/$removed": 6,
    'POST tasks/$edited/undo {"sequence": $edit}': 10,
}

IN_A_TRANSACTION = {"POST trash/$removed/restore", 'POST tasks/$edited/undo {"sequence": $edit}'}

_numbers = count()


SYNC = {
    "GET changes": 1,
    "GET changes?limit=1": 1,
    "GET changes?limit=1&since=$page": 1,
    "GET changes?since=$delta": 1,
    "GET changes?since=": 0,
}
ON_SQLITE = {
    'POST tasks {"title": "A"}': ["BEGIN", "INSERT", "INSERT", "INSERT", "COMMIT"],
    "PATCH tasks/$first/complete": ["SELECT", "BEGIN", "UPDATE", "INSERT", "INSERT", "COMMIT"],
    "PATCH tasks/$done/complete": ["SELECT"],
    "DELETE tasks/$first": ["SELECT", "BEGIN", "INSERT", "DELETE", "INSERT", "INSERT", "COMMIT"],
    "DELETE trash/$removed": ["SELECT", "BEGIN", "DELETE", "UPDATE", "INSERT", "INSERT", "COMMIT"],
    "POST trash/$removed/restore": [
        *("BEGIN", "SELECT", "SELECT", "INSERT", "DELETE", "INSERT", "INSERT", "SELECT", "COMMIT"),
    ],
    "GET changes?since=$delta": ["SELECT"],
}


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(getattr(request, "param", "role_engine"))
    return found


@pytest.fixture
def ada(engine: Engine) -> ApiClient:
    """A user who has nothing yet."""
    app = application(SqlStorage(engine).open_workspace)
    return ApiClient(app.test_client(), f"traveler-{next(_numbers)}")


@pytest.fixture
def ids(ada: ApiClient) -> dict[str, str]:
    """Three lists of the user, two with a task with a sub-task, and others in the inbox.

    Some are in the trash. One was edited twice. Two have a label.
    """
    path = f"/api/tasks/{ada.user}/lists"
    groceries, empty, large = (ada("POST", path, json={"name": name}).json["id"] for name in "ABC")
    parent = ada.create(list_id=groceries)["id"]
    found = {"groceries": groceries, "empty": empty, "large": large, "parent": parent}
    for above in (ada.create(list_id=large, labels=["shop"])["id"] for _ in range(2)):
        ada.create(parent_id=above)
    inbox = {name: ada.create()["id"] for name in ("first", "second", "third")}
    daily, done = (ada.create(due="2026-03-01", recurrence="FREQ=DAILY")["id"] for _ in range(2))
    assert ada("PATCH", f"/{done}/complete").json["next_id"]
    child = ada.create(parent_id=parent)["id"]
    page = ada("GET", f"/api/tasks/{ada.user}/changes?limit=1").json["next"]
    given = {**found, **inbox, "daily": daily, "done": done, "child": child, "page": page}
    return {**given, **trashed(ada, groceries), **edited(ada), "delta": delta_token(ada)}


def trashed(ada: ApiClient, list_id: str) -> dict[str, str]:
    """Delete tasks: one alone, a tree, one whose parent is deleted, and one that recurs."""
    removed, root, above = (ada.create(list_id=list_id)["id"] for _ in range(3))
    ada.create(parent_id=root)
    orphan = ada.create(parent_id=above)["id"]
    closed = ada.create(due="2026-03-01", recurrence="FREQ=DAILY")["id"]
    recurring = ada("PATCH", f"/{closed}/complete").json["next_id"]
    for one in (removed, orphan, above, recurring, f"{root}?subtasks=delete"):
        assert ada("DELETE", f"/{one}").status_code == 204
    assert ada("PATCH", f"/{closed}/complete", json={"completed": False}).json["recurrence"]
    removal, _ = (one["sequence"] for one in ada("GET", f"/{removed}/history").json)
    ids = {"removed": removed, "root": root, "orphan": orphan, "recurring": recurring}
    return {**ids, "removal": removal}


def edited(ada: ApiClient) -> dict[str, str]:
    """Create a task and edit it three times; the last is in the way of an undo of the second."""
    task_id = ada.create()["id"]
    for edit in ({"priority": 1}, {"title": "B"}, {"title": "C"}):
        assert ada("PATCH", f"/{task_id}", json=edit).status_code == 200
    _, overtaken, edit, creation = (
        one["sequence"] for one in ada("GET", f"/{task_id}/history").json
    )
    return {"edited": task_id, "edit": edit, "overtaken": overtaken, "creation": creation}


def delta_token(ada: ApiClient) -> str:
    """Return the token of a user's client that is up to date."""
    page = ada("GET", f"/api/tasks/{ada.user}/changes").json
    while page["more"]:
        page = ada("GET", f"/api/tasks/{ada.user}/changes?since={page['next']}").json
    token: str = page["next"]
    return token


def statements_of(engine: Engine, ada: ApiClient, request: str, **headers: Any) -> list[str]:
    """Send a request, and return its statements."""
    method, path, *body = request.split(" ", 2)
    send: dict[str, Any] = {"data": body[0], "content_type": "application/json"} if body else {}
    with sent(engine) as statements:
        response = ada(method, f"/api/tasks/{ada.user}/{path}", **headers, **send)
    assert response.status_code != 500, response.text
    return statements


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_sends_as_many_statements_as_it_needs(
    engine: Engine, ada: ApiClient, ids: dict[str, str], request_: str
) -> None:
    """A plain creation one, a change two, also in a list; a refusal by its own values none."""
    statements = statements_of(engine, ada, Template(request_).substitute(ids))
    assert len(statements) == REQUESTS[request_], statements


@pytest.mark.parametrize("request_", SYNC)
def test_a_page_of_changes_is_one_statement(
    engine: Engine, ada: ApiClient, ids: dict[str, str], request_: str
) -> None:
    """The first page, one of a first sync, and a delta; a token that is none takes none."""
    statements = statements_of(engine, ada, Template(request_).substitute(ids))
    assert len(statements) == SYNC[request_], statements


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("request_", ON_SQLITE)
def test_a_write_on_sqlite_is_a_transaction_of_few_statements(
    engine: Engine, ada: ApiClient, ids: dict[str, str], request_: str
) -> None:
    """The row, its number and its change; a purge deletes also what the log has of the row."""
    statements = statements_of(engine, ada, Template(request_).substitute(ids))
    assert [one.split()[0] for one in statements] == ON_SQLITE[request_]


@pytest.mark.parametrize("request_", WITH_KEY)
def test_an_idempotency_key_adds_two_statements_and_a_transaction(
    engine: Engine, ada: ApiClient, ids: dict[str, str], request_: str
) -> None:
    """The key and its result, and BEGIN and COMMIT of what is no transaction without it."""
    statements = statements_of(engine, ada, Template(request_).substitute(ids), headers=KEY)
    added = 2 if request_ in IN_A_TRANSACTION else 4
    assert len(statements) == WITH_KEY[request_] == REQUESTS[request_] + added, statements


CREATE = '{"op": "create", "task": {"title": "A"}}'
BATCHES = {
    CREATE: (201, 4, 4),
    '{"op": "create", "task": {"title": "A", "list_id": "$groceries"}}': (201, 4, 6),
    '{"op": "create", "task": {"title": "A", "parent_id": "$parent"}}': (201, 6, 8),
    '{"op": "create", "task": {"title": ""}}': (422, 2, 3),
    '{"op": "update", "id": "$first", "changes": {"title": "B"}}': (200, 5, 7),
    '{"op": "update", "id": "$first", "changes": {"list_id": "$groceries"}}': (200, 10, 12),
    '{"op": "update", "id": "$first", "changes": {"title": ""}}': (422, 2, 3),
    '{"op": "update", "id": "$first", "changes": {"title": "B"}, "if_match": "7"}': (412, 3, 7),
    '{"op": "complete", "id": "$first"}': (200, 5, 7),
    '{"op": "complete", "id": "$done"}': (200, 4, 6),
    '{"op": "complete", "id": "$daily"}': (200, 11, 13),
    '{"op": "complete", "id": "$removed"}': (404, 3, 7),
    '{"op": "delete", "id": "$first"}': (204, 5, 7),
    '{"op": "delete", "id": "$parent"}': (204, 12, 14),
    '{"op": "delete", "id": "$parent", "subtasks": "delete"}': (204, 6, 8),
    '{"op": "restore", "id": "$removed"}': (200, 7, 9),
    '{"op": "restore", "id": "$first"}': (404, 3, 7),
}
"""The status of a command, and how many statements a batch of it alone sends, by mode.

BEGIN, the lock of the owner and COMMIT are three of them, the savepoint and its end two.
"""
MODES = {"atomic": 1, "each": 2}


def batch_statements(
    engine: Engine, ada: ApiClient, mode: str, *commands: str, **headers: Any
) -> tuple[list[int], list[str]]:
    """Send a batch, and return the statuses of its commands, and its statements."""
    data = f'{{"mode": "{mode}", "commands": [{", ".join(commands)}]}}'
    options: dict[str, Any] = {"data": data, "content_type": "application/json", **headers}
    with sent(engine) as statements:
        response = ada("POST", f"/api/tasks/{ada.user}/batch", **options)
    body = response.json
    found = [one["status"] for one in body["results"]] if "results" in body else [body["status"]]
    return found, statements


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("command", BATCHES)
def test_a_command_of_a_batch_sends_as_many_statements_as_it_needs(
    engine: Engine, ada: ApiClient, ids: dict[str, str], command: str, mode: str
) -> None:
    """A change two, as outside of a batch. A savepoint is set only for what sends a statement."""
    given = Template(command).substitute(ids)
    (status,), statements = batch_statements(engine, ada, mode, given)
    expected = BATCHES[command]
    assert (status, len(statements)) == (expected[0], expected[MODES[mode]]), statements


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("headers", "count"), [({}, 4), ({"headers": KEY}, 6)])
def test_a_hundred_creations_are_sent_together(
    engine: Engine, ada: ApiClient, mode: str, headers: dict[str, Any], count: int
) -> None:
    """All 100 are one round trip, in either mode; a key and its result are two more."""
    ada.create()
    statuses, statements = batch_statements(engine, ada, mode, *[CREATE] * 100, **headers)
    assert (statuses, len(statements)) == ([201] * 100, count), statements


@pytest.mark.parametrize("mode", MODES)
def test_creations_are_sent_together_up_to_the_next_statement(
    engine: Engine, ada: ApiClient, ids: dict[str, str], mode: str
) -> None:
    """What waited before a savepoint is sent before it is set; a command that fails is left out."""
    update = f'{{"op": "update", "id": "{ids["first"]}", "changes": {{"title": "B"}}}}'
    refused = [] if mode == "atomic" else ['{"op": "create", "task": {"title": ""}}']
    commands = [CREATE, CREATE, *refused, update, CREATE, CREATE]
    statuses, statements = batch_statements(engine, ada, mode, *commands)
    assert statuses == [201, 201, *[422] * len(refused), 200, 201, 201]
    begin, lock, *others = [" ".join(one.split()[:2]) for one in statements]
    assert (begin.split("(")[0], lock) == ("SELECT set_config", "SELECT heads.seq")
    assert (
        others
        == {
            "atomic": ["WITH head", "SELECT tasks.id,", "WITH held", "WITH head", "COMMIT"],
            "each": [
                *("WITH head", "SAVEPOINT part", "SELECT tasks.id,", "WITH held"),
                *("RELEASE SAVEPOINT", "WITH head", "COMMIT"),
            ],
        }[mode]
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_dry_run_of_creations_sends_none(engine: Engine, ada: ApiClient, mode: str) -> None:
    """Nothing of it is kept, so what waits at its end need not be sent."""
    ada.create()
    command = f'POST batch {{"mode": "{mode}", "dry_run": true, "commands": [{CREATE}]}}'
    assert len(statements_of(engine, ada, command)) == 2
