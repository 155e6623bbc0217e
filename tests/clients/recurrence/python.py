import os
from typing import Any

from taskservice_client import AuthenticatedClient
from taskservice_client.api.tasks import (
    complete_task,
    create_task,
    get_task,
    list_tasks,
    patch_task,
)
from taskservice_client.models import (
    Completion,
    ListTasksSort,
    TaskCreate,
    TaskCreateRepeatsFrom,
    TaskPatch,
)

client = AuthenticatedClient("http://127.0.0.1:8000", token=os.environ["TOKEN"])


def series(task: Any) -> str:
    found = list_tasks.sync(
        "ada", client=client, series_id=task.series_id, sort=ListTasksSort.CREATED_AT
    )
    return ", ".join(one.due for one in found)


weekly = TaskCreate(
    title="Water the plants",
    due="2096-04-01",
    recurrence="FREQ=WEEKLY;BYDAY=SU",
    repeats_from=TaskCreateRepeatsFrom.SCHEDULE,
)
task = create_task.sync("ada", client=client, body=weekly)
print(f"created: {task.recurrence}, {task.repeats_from}, {task.occurrence}")

completion = Completion(completed=True, time_zone="Europe/Berlin")
closed = complete_task.sync("ada", task.id, client=client, body=completion)
print(f"completed: {closed.status}, {closed.recurrence}")
following = get_task.sync("ada", closed.next_id, client=client)
print(f"successor: {following.title}, {following.due}, {following.series_id == task.id}")
print("series:", series(task))

undo = Completion(completed=False)
reopened = complete_task.sync("ada", task.id, client=client, body=undo)
print(f"reopened: {reopened.status}, {reopened.next_id is None}")
print("series:", series(task))
ended = patch_task.sync("ada", task.id, client=client, body=TaskPatch(recurrence=None))
print(f"ended: {ended.recurrence is None}, {ended.occurrence is None}")
