import os

from taskservice_client import AuthenticatedClient
from taskservice_client.api.history import list_task_changes, undo_task_change
from taskservice_client.api.summary import get_summary
from taskservice_client.api.tasks import create_task, delete_task, patch_task
from taskservice_client.api.trash import (
    get_trashed_task,
    list_trash,
    purge_task,
    purge_trash,
    restore_task,
)
from taskservice_client.models import TaskCreate, TaskPatch, Undo

client = AuthenticatedClient("http://127.0.0.1:8000", token=os.environ["TOKEN"])


def titles() -> str:
    return ", ".join(one.title for one in list_trash.sync("ada", client=client)) or "nothing"


task = create_task.sync("ada", client=client, body=TaskCreate(title="Milk"))
patch_task.sync("ada", task.id, client=client, body=TaskPatch(title="Oat milk"))
delete_task.sync_detailed("ada", task.id, client=client)
print("trash:", titles())
trashed = get_trashed_task.sync("ada", task.id, client=client)
print(f"kept: {trashed.purged_after > trashed.trashed_at}, {trashed.trashed_with is None}")
restored = restore_task.sync("ada", task.id, client=client)
print(f"restored: {restored.title}, {restored.version}")

changes = list_task_changes.sync("ada", task.id, client=client)
print("history:", ", ".join(change.type_ for change in changes))
print(f"before: {changes[2].previous['title']}, {changes[0].client is None}")
creation, rename = changes[3].sequence, changes[2].sequence
undone = undo_task_change.sync("ada", task.id, client=client, body=Undo(sequence=rename))
print(f"undone: {undone.title}, {undone.version}")
patch_task.sync("ada", task.id, client=client, body=TaskPatch(title="Soy milk"))
problem = undo_task_change.sync("ada", task.id, client=client, body=Undo(sequence=rename))
print(f"refused: {problem.status} {problem.errors[0].pointer}")

summary = get_summary.sync("ada", client=client, time_zone="Europe/Berlin")
inbox = summary.lists[0]
print(f"summary: {summary.time_zone}, {summary.open_}, {inbox.open_}, {inbox.list_id is None}")
removed = undo_task_change.sync("ada", task.id, client=client, body=Undo(sequence=creation))
print(f"removed: {removed.title}, {removed.purged_after > removed.trashed_at}")
purge_task.sync_detailed("ada", task.id, client=client)
print("purged:", titles())
other = create_task.sync("ada", client=client, body=TaskCreate(title="Bread"))
delete_task.sync_detailed("ada", other.id, client=client)
purged = purge_trash.sync("ada", client=client)
print(f"emptied: {purged.purged}, {purged.more}")
