"""A creation with an idempotency key, below HTTP."""

import json

from taskservice.core.idempotency import IdempotencyKey, run_once
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import Workspace


def add_once(workspace: Workspace, new: NewTask, key: str = "key") -> Task:
    """Add a task, or return the task that was added with this key."""

    def add() -> bytes:
        return json.dumps(workspace.tasks.add(new).dump()).encode()

    result, _ = run_once(workspace.idempotency, IdempotencyKey(key, b"fingerprint"), add)
    return Task.load(json.loads(result))
