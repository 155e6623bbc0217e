import os
from typing import Any

from taskservice_api import (
    ApiClient,
    ApiException,
    ChangesApi,
    Configuration,
    ListsApi,
    TaskCreate,
    TaskListCreate,
    TaskPatch,
    TasksApi,
)

client = ApiClient(Configuration("http://127.0.0.1:8000", access_token=os.environ["TOKEN"]))
changes, lists, tasks = ChangesApi(client), ListsApi(client), TasksApi(client)


def entry(change: Any) -> str:
    if change.list:
        return f"list {change.list.name}"
    if change.task:
        return f"task {change.task.title}"
    return f"{change.kind} gone {change.gone}"


def show(name: str, page: Any) -> str:
    entries = ", ".join(entry(change) for change in page.changes)
    print(f"{name}: {entries or 'nothing'}, more {page.more}, full {page.full}")
    return str(page.next)


food = lists.create_list("ada", TaskListCreate(name="Food"))
milk = tasks.create_task("ada", TaskCreate(title="Milk", list_id=food.id))
bread = tasks.create_task("ada", TaskCreate(title="Bread"))
token = show("lists", changes.list_changes("ada"))
token = show("tasks", changes.list_changes("ada", since=token))
token = show("in step", changes.list_changes("ada", since=token))

tasks.patch_task("ada", milk.id, TaskPatch(title="Oat milk"))
tasks.delete_task("ada", bread.id)
token = show("cut", changes.list_changes("ada", since=token, limit=1))
token = show("rest", changes.list_changes("ada", since=token))

try:
    changes.list_changes("ada", since="altered")
except ApiException as error:
    print(f"refused: {error.status} {error.data.errors[0].parameter}")
