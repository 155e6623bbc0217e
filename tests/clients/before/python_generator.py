import os
from typing import Any

from taskservice_api import (
    ApiClient,
    Completion,
    Configuration,
    TaskPatch,
    TasksApi,
    TaskUpdate,
)

configuration = Configuration("http://127.0.0.1:8000", access_token=os.environ["TOKEN"])
tasks = TasksApi(ApiClient(configuration))


def show(done: str, task: Any) -> None:
    print(f"{done}: {task.title}, {task.additional_properties['recurrence']}")


task, *_ = tasks.list_tasks("ada")
show("listed", task)
show("got", tasks.get_task("ada", task.id))
show("patched", tasks.patch_task("ada", task.id, TaskPatch(title="Buy milk")))
show("updated", tasks.update_task("ada", task.id, TaskUpdate(title="Buy bread")))
show("completed", tasks.complete_task("ada", task.id, completion=Completion(completed=True)))
