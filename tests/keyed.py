"""A creation with an idempotency key, below HTTP."""

import json

from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import Workspace


def add_once(workspace: Workspace, new: NewTask, key: str = "key") -> Task:
    """Add a task, or return the task that was added with this key."""
    stored = begin(workspace.idempotency, IdempotencyKey(key, b"fingerprint"))
    if stored is not None:
        return Task.load(json.loads(stored))
    task = workspace.tasks.add(new)
    workspace.idempotency.complete(key, json.dumps(task.dump()).encode())
    return task
