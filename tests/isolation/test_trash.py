"""Trash, history and undo: nothing of them leads to another user, and nothing of them is logged."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from tests.databases import Database
from tests.http_callers import SETTINGS, ApiClient

from taskservice.adapters.http.api import cursors
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sample_tasks import sample_trash
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenWorkspace
from taskservice.logs import Formatter
from taskservice.testing import ADA, BOB, START

MISSING = UUID("01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11")
SAME = {"X-Request-Id": "same"}
READ = """
    SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)
      FROM pg_stat_xact_user_tables WHERE relname IN ('trash', 'tasks', 'changes', 'lists')
"""


def trash_of(user: ApiClient) -> str:
    """Return the path of a user's trash."""
    return f"/api/tasks/{user.user}/trash"


def trashed(user: ApiClient, **fields: Any) -> Any:
    """Return a task of a user that was created, edited and deleted."""
    task = user.create(**fields)
    assert user("PATCH", f"/{task['id']}", json={"priority": 1}).status_code == 200
    assert user("DELETE", f"/{task['id']}").status_code == 204
    return user("GET", f"{trash_of(user)}/{task['id']}").json


def whole(response: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all that the caller gets."""
    return response.status_code, list(response.headers), response.data


def load_trashed(task: Any) -> TrashedTask:
    """Return a task of the trash as a response has it."""
    return TrashedTask.load({name: task[name] for name in task if name != "purged_after"})


def with_other_ids(open_workspace: OpenWorkspace, task: Any, **ids: Any) -> str:
    """Store a copy of a task of Ada's trash that has other ids, as an import may; return its id."""
    loaded = load_trashed(task)
    copy = replace(loaded, id=TimeOrderedIds()(loaded.created_at), **ids)
    with open_workspace(ADA, atomic=True) as workspace:
        workspace.repository(TrashedTask).insert(copy)
    return str(copy.id)


def test_a_restored_task_is_not_put_into_another_users_list(
    ada: ApiClient, bob: ApiClient, open_workspace: OpenWorkspace
) -> None:
    """Nor under their task: both look like missing ones. Nothing of Bob's changes."""
    a_list, task = bob.create_list(), bob.create()
    mine = trashed(ada)
    before = [bob("GET", path).data for path in (bob.path, bob.lists)]
    answers = []
    for list_id, parent_id in ((a_list["id"], task["id"]), (MISSING, MISSING)):
        ids = {"list_id": UUID(str(list_id)), "parent_id": UUID(str(parent_id))}
        known = with_other_ids(open_workspace, mine, **ids)
        answer = ada("POST", f"{trash_of(ada)}/{known}/restore").json
        answers.append((answer["user_id"], answer["list_id"], answer["parent_id"]))
    assert answers == [(ADA, None, None)] * 2
    assert [bob("GET", path).data for path in (bob.path, bob.lists)] == before


def test_a_tree_is_restored_without_another_users_tasks(
    ada: ApiClient, bob: ApiClient, open_workspace: OpenWorkspace
) -> None:
    """Although they were deleted with the same task, as an import can have it."""
    theirs = trashed(bob)
    root = with_other_ids(open_workspace, trashed(ada), trashed_with=UUID(theirs["id"]))
    below = with_other_ids(
        open_workspace, theirs, trashed_with=UUID(theirs["id"]), parent_id=UUID(root), user_id=ADA
    )
    assert bob("POST", f"{trash_of(bob)}/{theirs['id']}/restore").status_code == 200
    assert {one["id"] for one in ada("GET", trash_of(ada)).json} >= {root, below}
    assert [one["id"] for one in bob("GET").json] == [theirs["id"]]


def test_a_cursor_of_another_history_does_not_tell_of_it(ada: ApiClient, bob: ApiClient) -> None:
    """400 with the same bytes for one of another user, of another task, or of nobody."""
    mine, other, theirs = trashed(ada), trashed(ada), trashed(bob)
    known = [
        cursors.encode_number(owner, task_id, number)
        for owner, task_id in (
            (BOB, theirs["id"]),
            (BOB, mine["id"]),
            (ADA, other["id"]),
            ("auth0|nobody", mine["id"]),
        )
        for number in (1, 2, 2**40)
    ]
    answers = {
        str(whole(ada("GET", f"/{mine['id']}/history?cursor={cursor}", headers=SAME)))
        for cursor in [*known, "none"]
    }
    assert [answer[:5] for answer in answers] == ["(400,"]
    own = cursors.encode_number(ADA, mine["id"], 2)
    assert ada("GET", f"/{mine['id']}/history?cursor={own}").status_code == 200


def test_a_number_of_another_users_change_undoes_nothing(ada: ApiClient, bob: ApiClient) -> None:
    """422 as for a number that nobody has, in the own history and in that of a foreign task."""
    mine = ada.create()
    for _ in range(5):
        theirs = bob.create()
    (newest,) = bob("GET", f"/{theirs['id']}/history").json
    before = bob("GET", f"/{theirs['id']}").data
    path = f"/{mine['id']}/undo"
    foreign, missing = (
        ada("POST", path, json={"sequence": number}, headers=SAME)
        for number in (newest["sequence"], newest["sequence"] + 1)
    )
    assert foreign.status_code == 422
    assert whole(foreign) == whole(missing)
    assert bob("GET", f"/{theirs['id']}").data == before


def test_nothing_of_the_trash_or_the_history_is_logged(
    ada: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    """No line has a title as it is or was, nor the cursor of a page."""
    caplog.set_level(logging.DEBUG)
    task = trashed(ada, title="First secret")
    trashed(ada, title="Second secret")
    one = f"{trash_of(ada)}/{task['id']}"
    found = []
    for path in (trash_of(ada), f"/{task['id']}/history"):
        link = ada("GET", f"{path}?limit=1").headers["Link"].partition("<")[2].partition(">")[0]
        found.append(link.partition("cursor=")[2].partition("&")[0])
        assert ada("GET", f"{path}{link}").status_code == 200
    assert ada("POST", f"{one}/restore").status_code == 200
    for title in ("Third secret", "Fourth secret"):
        assert ada("PATCH", f"/{task['id']}", json={"title": title}).status_code == 200
    numbers = [change["sequence"] for change in ada("GET", f"/{task['id']}/history").json]
    conflict, *undone = (
        ada("POST", f"/{task['id']}/undo", json={"sequence": numbers[place]}) for place in (1, 0, 2)
    )
    assert [conflict.status_code, *(answer.status_code for answer in undone)] == [409, 200, 200]
    assert ada("DELETE", trash_of(ada)).json == {"purged": 2, "more": False}
    lines = [Formatter("json").format(record) for record in caplog.records]
    assert len(lines) >= 15
    for told in [*lines, conflict.text]:
        assert [one for one in (*found, "secret") if one in told] == []


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Yield the statements that are sent, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def record(*args: Any) -> None:
        sent.append((args[2], args[3]))

    event.listen(engine, "before_cursor_execute", record)
    yield sent
    event.remove(engine, "before_cursor_execute", record)


def rows_read(database: Database, sent: list[tuple[str, Any]]) -> int:
    """Return how many rows the statements read, one after another, as the role that serves."""
    with psycopg.connect(database.service) as connection:
        cursor = connection.cursor()
        for statement, given in sent:
            many = given if isinstance(given, list) else [given]
            cursor.executemany(statement.encode(), many)
        row = connection.execute(READ).fetchone()
        connection.rollback()
    assert row is not None
    return int(row[0])


def test_another_users_trash_costs_nothing(engine: Engine, database: Database) -> None:
    """Ada's reads and purges read her rows alone, whatever Bob has in his trash and his log."""
    open_workspace = SqlStorage(engine).open_workspace
    ada = ApiClient(create_app(open_workspace, SETTINGS).test_client(), ADA)
    task = trashed(ada)
    with recorded(engine) as sent:
        for path in (trash_of(ada), f"{trash_of(ada)}/{task['id']}", f"/{task['id']}/history"):
            assert ada("GET", path).status_code == 200
        assert ada("GET", f"/api/tasks/{ADA}/summary").status_code == 200
        assert ada("DELETE", trash_of(ada)).json["purged"] == 1
    ada("POST", f"{trash_of(ada)}/{task['id']}/restore")
    trashed(ada)
    alone = rows_read(database, sent)
    others = sample_trash(BOB, 1000, START, TimeOrderedIds())
    assert SqlOwnerData(engine, BOB).import_entities(others) == []
    with database.superuser_engine.connect() as connection:
        connection.execute(text("ANALYZE trash, changes"))
    assert 0 < rows_read(database, sent) <= alone
