import os
from typing import Any

from taskservice_client import AuthenticatedClient
from taskservice_client.api.tasks import (
    complete_task,
    get_task,
    list_tasks,
    patch_task,
    update_task,
)
from taskservice_client.models import Completion, TaskPatch, TaskUpdate

client = AuthenticatedClient("http://127.0.0.1:8000", token=os.environ["TOKEN"])


def show(done: str, task: Any) -> None:
    print(f"{done}: {task.title}, {task['recurrence']}")


task, *_ = list_tasks.sync("ada", client=client)
show("listed", task)
show("got", get_task.sync("ada", task.id, client=client))
patch = TaskPatch(title="Buy milk")
show("patched", patch_task.sync("ada", task.id, client=client, body=patch))
update = TaskUpdate(title="Buy bread")
show("updated", update_task.sync("ada", task.id, client=client, body=update))
completion = Completion(completed=True)
show("completed", complete_task.sync("ada", task.id, client=client, body=completion))
