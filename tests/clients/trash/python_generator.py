import os

from taskservice_api import (
    ApiClient,
    ApiException,
    Configuration,
    HistoryApi,
    SummaryApi,
    TaskCreate,
    TaskPatch,
    TasksApi,
    TrashApi,
    Undo,
)

client = ApiClient(Configuration("http://127.0.0.1:8000", access_token=os.environ["TOKEN"]))
tasks, trash, history = TasksApi(client), TrashApi(client), HistoryApi(client)


def titles() -> str:
    return ", ".join(one.title for one in trash.list_trash("ada")) or "nothing"


task = tasks.create_task("ada", TaskCreate(title="Milk"))
tasks.patch_task("ada", task.id, TaskPatch(title="Oat milk"))
tasks.delete_task("ada", task.id)
print("trash:", titles())
trashed = trash.get_trashed_task("ada", task.id)
print(f"kept: {trashed.purged_after > trashed.trashed_at}, {trashed.trashed_with is None}")
restored = trash.restore_task("ada", task.id)
print(f"restored: {restored.title}, {restored.version}")

changes = history.list_task_changes("ada", task.id)
print("history:", ", ".join(change.type for change in changes))
print(f"before: {changes[2].previous['title']}, {changes[0].client is None}")
creation, rename = changes[3].sequence, changes[2].sequence
undone = history.undo_task_change("ada", task.id, Undo(sequence=rename))
print(f"undone: {undone.title}, {undone.version}")
tasks.patch_task("ada", task.id, TaskPatch(title="Soy milk"))
try:
    history.undo_task_change("ada", task.id, Undo(sequence=rename))
except ApiException as error:
    print(f"refused: {error.status} {error.data.errors[0].pointer}")

summary = SummaryApi(client).get_summary("ada", time_zone="Europe/Berlin")
inbox = summary.lists[0]
print(f"summary: {summary.time_zone}, {summary.open}, {inbox.open}, {inbox.list_id is None}")
removed = history.undo_task_change("ada", task.id, Undo(sequence=creation))
print(f"removed: {removed.title}, {removed.purged_after > removed.trashed_at}")
trash.purge_task("ada", task.id)
print("purged:", titles())
other = tasks.create_task("ada", TaskCreate(title="Bread"))
tasks.delete_task("ada", other.id)
purged = trash.purge_trash("ada")
print(f"emptied: {purged.purged}, {purged.more}")
