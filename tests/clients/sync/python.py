import os
from typing import Any

from taskservice_client import AuthenticatedClient
from taskservice_client.api.changes import list_changes
from taskservice_client.api.lists import create_list
from taskservice_client.api.tasks import create_task, delete_task, patch_task
from taskservice_client.models import TaskCreate, TaskListCreate, TaskPatch

client = AuthenticatedClient("http://127.0.0.1:8000", token=os.environ["TOKEN"])


def entry(change: Any) -> str:
    if change.kind == "list" and change.list_:
        return f"list {change.list_.name}"
    if change.kind == "task" and change.task:
        return f"task {change.task.title}"
    return f"{change.kind} gone {change.gone}"


def show(name: str, page: Any) -> str:
    entries = ", ".join(entry(change) for change in page.changes)
    print(f"{name}: {entries or 'nothing'}, more {page.more}, full {page.full}")
    return str(page.next_)


food = create_list.sync("ada", client=client, body=TaskListCreate(name="Food"))
milk = create_task.sync("ada", client=client, body=TaskCreate(title="Milk", list_id=food.id))
bread = create_task.sync("ada", client=client, body=TaskCreate(title="Bread"))
token = show("lists", list_changes.sync("ada", client=client))
token = show("tasks", list_changes.sync("ada", client=client, since=token))
token = show("in step", list_changes.sync("ada", client=client, since=token))

patch_task.sync("ada", milk.id, client=client, body=TaskPatch(title="Oat milk"))
delete_task.sync_detailed("ada", bread.id, client=client)
token = show("cut", list_changes.sync("ada", client=client, since=token, limit=1))
token = show("rest", list_changes.sync("ada", client=client, since=token))

problem = list_changes.sync("ada", client=client, since="altered")
print(f"refused: {problem.status} {problem.errors[0].parameter}")
