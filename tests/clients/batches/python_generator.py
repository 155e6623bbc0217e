import os

from taskservice_api import (
    ApiClient,
    ApiException,
    Batch,
    BatchApi,
    BatchChanges,
    BatchCommand,
    BatchTask,
    Configuration,
    LabelRename,
    LabelsApi,
    ListsApi,
    TaskCreate,
    TaskListCreate,
    TasksApi,
)

client = ApiClient(Configuration("http://127.0.0.1:8000", access_token=os.environ["TOKEN"]))
tasks, batch = TasksApi(client), BatchApi(client)


def run(*commands: BatchCommand, **options: object):  # type: ignore[no-untyped-def]
    return batch.run_batch("ada", Batch(commands=[*commands], **options))


def create(title: str, **options: object) -> BatchCommand:
    above = {name: options.pop(name) for name in {"parent_id"} & options.keys()}
    task = BatchTask(title=title, labels=["home"], **above)
    return BatchCommand(op="create", task=task, **options)


def complete(task_id: str, version: str) -> BatchCommand:
    return BatchCommand(op="complete", id=task_id, if_match=version)


def delete(task_id: str) -> BatchCommand:
    return BatchCommand(op="delete", id=task_id)


milk = tasks.create_task("ada", TaskCreate(title="Milk"))
atomic = run(
    create("Trip", ref="trip"),
    create("Tent", parent_id="$trip"),
    complete(str(milk.id), f'"{milk.version}"'),
)
trip, tent, completed = atomic.results
statuses = f"{trip.status}, {tent.status}, {completed.status}"
is_below = tent.task.parent_id == trip.task.id
print(f"atomic: {atomic.applied}, {statuses}, {is_below}, {completed.etag}, {not completed.task}")

changes = BatchChanges(title="Oat milk")
stale = BatchCommand(op="update", id=str(milk.id), changes=changes, if_match=str(milk.version))
each = run(stale, delete(str(tent.task.id)), mode="each")
failed, deleted = each.results
place = failed.problem.errors[0].pointer
is_gone = not (deleted.task or deleted.etag or deleted.problem)
print(f"each: {failed.status}, {failed.problem.type}, {place}, {deleted.status}, {is_gone}")

trip_id = str(trip.task.id)
trial = run(delete(trip_id), dry_run=True)
kept = tasks.get_task("ada", trip.task.id)
print(f"tried: {trial.applied}, {trial.results[0].status}, {kept == trip.task}")
try:
    run(create("Map"), complete(trip_id, "7"))
except ApiException as error:
    print(f"refused: {error.status}, {error.data.errors[0].pointer}")

rename = LabelRename(label="Home", new="travel")
renamed = LabelsApi(client).rename_label("ada", rename)
print(f"renamed: {renamed.label}, {renamed.open}, {renamed.all}, {renamed.more}")
lists = ListsApi(client)
food = lists.create_list("ada", TaskListCreate(name="Food"))
tasks.create_task("ada", TaskCreate(title="Bread", list_id=food.id))
step = lists.delete_list("ada", food.id, tasks="delete", limit=1)
print(f"step: {step.done}, {step.more}")
