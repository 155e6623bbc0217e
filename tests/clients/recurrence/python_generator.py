import os
from typing import Any

from taskservice_api import (
    ApiClient,
    Completion,
    Configuration,
    TaskCreate,
    TaskPatch,
    TasksApi,
)

configuration = Configuration("http://127.0.0.1:8000", access_token=os.environ["TOKEN"])
tasks = TasksApi(ApiClient(configuration))


def series(task: Any) -> str:
    found = tasks.list_tasks("ada", series_id=task.series_id, sort="created_at")
    return ", ".join(one.due for one in found)


weekly = TaskCreate(
    title="Water the plants",
    due="2096-04-01",
    recurrence="FREQ=WEEKLY;BYDAY=SU",
    repeats_from="schedule",
)
task = tasks.create_task("ada", weekly)
print(f"created: {task.recurrence}, {task.repeats_from}, {task.occurrence}")

completion = Completion(completed=True, time_zone="Europe/Berlin")
closed = tasks.complete_task("ada", task.id, completion=completion)
print(f"completed: {closed.status}, {closed.recurrence}")
following = tasks.get_task("ada", closed.next_id)
print(f"successor: {following.title}, {following.due}, {following.series_id == task.id}")
print("series:", series(task))

reopened = tasks.complete_task("ada", task.id, completion=Completion(completed=False))
print(f"reopened: {reopened.status}, {reopened.next_id is None}")
print("series:", series(task))
ended = tasks.patch_task("ada", task.id, TaskPatch(recurrence=None))
print(f"ended: {ended.recurrence is None}, {ended.occurrence is None}")
