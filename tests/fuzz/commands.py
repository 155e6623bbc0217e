"""Batches that are drawn from the document, made to fit: commands have the members of their `op`.

One schema describes all commands, so what is drawn has members of several.
"""

from collections.abc import Callable
from typing import Any

from taskservice.adapters.http.api.commands import OPERATIONS

Command = dict[str, Any]


class BatchedTasks:
    """The ids of tasks that batches made, and of those that they deleted since.

    A batch deletes and restores no other task: Schemathesis would not know that it did.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self.trashed: list[str] = []

    def clear(self) -> None:
        """Forget all: the service is empty."""
        self.made.clear()
        self.trashed.clear()

    def take_in(self, commands: list[Command], results: list[dict[str, Any]]) -> None:
        """Note what a batch created, deleted and restored."""
        ids = {
            f"${command.get('ref')}": result["task"]["id"]
            for command, result in zip(commands, results, strict=True)
            if result["status"] == 201
        }
        self.made += ids.values()
        for command, result in zip(commands, results, strict=True):
            task_id = ids.get(command.get("id", ""), command.get("id"))
            if result["status"] == 204 and task_id in self.made:
                self.made.remove(task_id)
                self.trashed.append(task_id)
            if command["op"] == "restore" and task_id in self.trashed:
                self.trashed.remove(task_id)
                self.made.append(task_id)


class Fitting:
    """Makes the drawn commands of a batch fit, one after the other.

    They are about tasks that this batch or one before created. `fit` changes the fields of a
    task so that they agree.
    """

    def __init__(self, tasks: BatchedTasks, fit: Callable[[Command], object]) -> None:
        self._fit = fit
        self._made, self._trashed = [*tasks.made], [*tasks.trashed]
        self._refs: set[str] = set()
        self._above: str | None = None

    def fitted(self, drawn: Command) -> Command:
        """Return a command with the members of its operation, and a task that there is."""
        op = drawn["op"]
        if op == "restore" and not self._trashed:
            op = "delete"
        ids = self._trashed if op == "restore" else self._made
        if op == "create" or not ids:
            return self._creation(drawn)
        operation = OPERATIONS[op]
        members = {*operation.required, *operation.optional}
        command = {name: one for name, one in drawn.items() if name in members}
        command |= {"op": op, "id": ids[-1]}
        if op == "update":
            command["changes"] = self._fields(drawn.get("changes", {}))
        elif op == "delete":
            self._trashed.append(self._made.pop())
        elif op == "restore":
            self._made.append(self._trashed.pop())
        return command

    def _creation(self, drawn: Command) -> Command:
        """Return a creation, whose task has a name that no other of the batch has."""
        ref = drawn.get("ref", "a")
        while ref in self._refs:
            ref = f"{len(self._refs)}{ref}"[:64]
        self._refs.add(ref)
        task = self._fields({"title": "x", **drawn.get("task", {})}, self._above)
        self._above = None if task.get("recurrence") or self._above else f"${ref}"
        self._made.append(f"${ref}")
        return {"op": "create", "ref": ref, "task": task}

    def _fields(self, drawn: dict[str, Any], above: str | None = None) -> dict[str, Any]:
        """Return fields that agree; a task may be under one that this batch created before."""
        fields = {**drawn, "parent_id": above} if "parent_id" in drawn else dict(drawn)
        self._fit(fields)
        return fields
