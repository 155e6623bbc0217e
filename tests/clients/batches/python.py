import os

from taskservice_client import AuthenticatedClient
from taskservice_client.api.batch import run_batch
from taskservice_client.api.labels import rename_label
from taskservice_client.api.lists import create_list, delete_list
from taskservice_client.api.tasks import create_task, get_task
from taskservice_client.models import (
    Batch,
    BatchChanges,
    BatchCommand,
    BatchCommandOp,
    BatchMode,
    BatchTask,
    DeleteListTasks,
    LabelRename,
    TaskCreate,
    TaskListCreate,
)

client = AuthenticatedClient("http://127.0.0.1:8000", token=os.environ["TOKEN"])


def run(*commands: BatchCommand, **options: object):  # type: ignore[no-untyped-def]
    return run_batch.sync("ada", client=client, body=Batch(commands=[*commands], **options))


def create(title: str, **options: object) -> BatchCommand:
    task = BatchTask(title=title, labels=["home"], parent_id=options.pop("parent_id", None))
    return BatchCommand(op=BatchCommandOp.CREATE, task=task, **options)


def complete(task_id: str, version: str) -> BatchCommand:
    return BatchCommand(op=BatchCommandOp.COMPLETE, id=task_id, if_match=version)


def delete(task_id: str) -> BatchCommand:
    return BatchCommand(op=BatchCommandOp.DELETE, id=task_id)


milk = create_task.sync("ada", client=client, body=TaskCreate(title="Milk"))
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
stale = BatchCommand(
    op=BatchCommandOp.UPDATE, id=str(milk.id), changes=changes, if_match=str(milk.version)
)
tent_id = str(tent.task.id)
each = run(stale, delete(tent_id), mode=BatchMode.EACH)
failed, deleted = each.results
place = failed.problem.errors[0].pointer
is_gone = not (deleted.task or deleted.etag or deleted.problem)
print(f"each: {failed.status}, {failed.problem.type_}, {place}, {deleted.status}, {is_gone}")

trip_id = str(trip.task.id)
trial = run(delete(trip_id), dry_run=True)
kept = get_task.sync("ada", trip.task.id, client=client)
print(f"tried: {trial.applied}, {trial.results[0].status}, {kept == trip.task}")
problem = run(create("Map"), complete(trip_id, "7"))
print(f"refused: {problem.status}, {problem.errors[0].pointer}")

rename = LabelRename(label="Home", new="travel")
renamed = rename_label.sync("ada", client=client, body=rename)
print(f"renamed: {renamed.label}, {renamed.open_}, {renamed.all_}, {renamed.more}")
food = create_list.sync("ada", client=client, body=TaskListCreate(name="Food"))
create_task.sync("ada", client=client, body=TaskCreate(title="Bread", list_id=food.id))
step = delete_list.sync("ada", food.id, client=client, tasks=DeleteListTasks.DELETE, limit=1)
print(f"step: {step.done}, {step.more}")
