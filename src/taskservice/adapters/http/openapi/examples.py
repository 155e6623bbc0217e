"""Request and response examples of the OpenAPI document, with the same names.

The examples of one operation run in sequence on a new task. A test sends them to
a running service, and compares the responses.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from taskservice.core.entity import Entity
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.trashed_task import TrashedTask


def example_of(entity_type: type[Entity]) -> dict[str, Any]:
    """Return the example of an entity: those of its fields."""
    return {name: one.example for name, one in fields_of(entity_type).items()}


TASK = example_of(Task)
LIST = example_of(TaskList)
TASK_ID = TASK["id"]
_EVENING = "2026-02-09T18:30:00.654321Z"


TRASHED_TASK = {**example_of(TrashedTask), "purged_after": "2026-03-12T08:00:00.123456Z"}
RESTORED_TASK = {**TASK, "updated_at": "2026-02-10T08:05:00.654321Z", "version": 2}
TASK_CHANGE = {
    "sequence": 815,
    "id": "019c434e-3e80-7cc3-98f4-0b8e1c6f2a13",
    "type": "task.completed",
    "at": "2026-02-09T18:30:00.654321Z",
    "version": 2,
    "client": "web",
    "request_id": "01932d0e5f0a7cc398f40b8e1c6f2a11",
    "previous": {"completed": False, "completed_at": None, "status": "needs-action"},
}
SUMMARY = {
    "now": "2026-02-09T14:05:00",
    "time_zone": "Europe/Berlin",
    "open": 12,
    "done": 40,
    "overdue": 2,
    "due_today": 3,
    "done_today": 1,
    "lists": [{"list_id": None, "open": 12, "overdue": 2}],
    "labels": [{"label": "home", "open": 3}],
}

_SUBTASK_ID = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a12"
_LIST_ID = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a10"
SYNC_PAGE = {
    "changes": [
        {"kind": "list", "id": _LIST_ID, "list": {**LIST, "id": _LIST_ID}},
        {"kind": "task", "id": TASK_ID, "task": TASK},
        {"kind": "task", "id": "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a12", "gone": True},
    ],
    "next": "AQAAAAAAAAADL5j0C44cbyoTrVaDCwU8mnd0bSnxnJpP7w",
    "more": False,
    "full": False,
}


class Example(NamedTuple):
    """A request body and the response body to it, with a summary."""

    summary: str
    request: dict[str, Any]
    response: dict[str, Any]


Examples = Mapping[str, Example]


def _changed(version: int, **members: Any) -> dict[str, Any]:
    return {**TASK, "updated_at": _EVENING, **members, "version": version}


_WHOLE = {
    "title": "Buy bread",
    "description": "Rye",
    "completed": True,
    "status": "completed",
    "due": "2026-03-29",
    "start": "2026-03-28",
    "time_zone": None,
    "priority": 5,
    "labels": ["errands", "home"],
}
_PLANNED = {
    "title": "Water the plants",
    "due": "2026-03-29T09:00:00",
    "time_zone": "Europe/Berlin",
    "priority": 1,
    "labels": ["home"],
}
_RECURRING = {
    "title": "Water the plants",
    "due": "2026-03-29T09:00:00",
    "time_zone": "Europe/Berlin",
    "recurrence": "FREQ=WEEKLY;BYDAY=SU",
}

CREATE_EXAMPLES: Examples = {
    "least": Example("Only a title", {"title": "Buy milk"}, TASK),
    "whole": Example(
        "All fields",
        _WHOLE,
        {**TASK, **_WHOLE, "completed_at": TASK["created_at"]},
    ),
    "planned": Example(
        "A task to plan with",
        _PLANNED,
        {**TASK, **_PLANNED},
    ),
    "recurring": Example(
        "A task that recurs every Sunday",
        _RECURRING,
        {**TASK, **_RECURRING, "occurrence": _RECURRING["due"], "series_id": TASK_ID},
    ),
}
UPDATE_EXAMPLES: Examples = {
    "rename": Example(
        "Change the title only",
        {"title": "Buy oat milk"},
        _changed(2, title="Buy oat milk"),
    ),
}
PATCH_EXAMPLES: Examples = {
    "describe": Example(
        "Set the description only",
        {"description": "Two liters"},
        _changed(2, description="Two liters"),
    ),
    "clear": Example("Clear the description", {"description": None}, _changed(3)),
    "begin": Example(
        "Begin with the task, which is due on a date",
        {"status": "in-process", "due": "2026-03-29"},
        _changed(4, status="in-process", due="2026-03-29"),
    ),
}
COMPLETE_EXAMPLES: Examples = {
    "complete": Example(
        "Complete the task",
        {"completed": True},
        _changed(2, completed=True, completed_at=_EVENING, status="completed"),
    ),
    "reopen": Example("Reopen the task", {"completed": False}, _changed(3)),
    "elsewhere": Example(
        "Complete the task, and say where the caller is",
        {"completed": True, "time_zone": "Europe/Berlin"},
        _changed(4, completed=True, completed_at=_EVENING, status="completed"),
    ),
}


MOVE_EXAMPLES: Examples = {
    "last": Example("Move the task to the end", {"place": "last"}, TASK),
}
UNDO_EXAMPLES: Examples = {
    "rename": Example("Undo a change of the title", {"sequence": 815}, _changed(3)),
}
LIST_EXAMPLES: Examples = {
    "create": Example("Create a list", {"name": "Groceries"}, LIST),
}
LIST_PATCH_EXAMPLES: Examples = {
    "rename": Example(
        "Rename the list",
        {"name": "Food"},
        {**LIST, "name": "Food", "updated_at": _EVENING, "version": 2},
    ),
}
BATCH_EXAMPLES: Examples = {
    "atomic": Example(
        "Create a task and a sub-task, all or nothing",
        {
            "commands": [
                {"op": "create", "ref": "shopping", "task": {"title": "Buy milk"}},
                {"op": "create", "task": {"title": "Buy bread", "parent_id": "$shopping"}},
            ]
        },
        {
            "applied": True,
            "results": [
                {"status": 201, "task": TASK, "etag": '"1"'},
                {
                    "status": 201,
                    "task": {**TASK, "id": _SUBTASK_ID, "title": "Buy bread", "parent_id": TASK_ID},
                    "etag": '"1"',
                },
            ],
        },
    ),
    "each": Example(
        "Complete a task and update it, each by itself, as a dry run",
        {
            "mode": "each",
            "dry_run": True,
            "commands": [
                {"op": "complete", "id": TASK_ID, "if_match": "1"},
                {"op": "update", "id": TASK_ID, "changes": {"priority": 1}},
            ],
        },
        {
            "applied": False,
            "results": [
                {"status": 200, "etag": '"2"'},
                {
                    "status": 200,
                    "task": _changed(
                        3,
                        completed=True,
                        completed_at=_EVENING,
                        status="completed",
                        priority=1,
                    ),
                    "etag": '"3"',
                },
            ],
        },
    ),
}
LABEL_EXAMPLES: Examples = {
    "rename": Example(
        "Rename a label",
        {"label": "garden", "new": "home"},
        {"label": "home", "open": 2, "all": 2, "more": False},
    ),
}
LIST_MOVE_EXAMPLES: Examples = {
    "last": Example("Move the list to the end", {"place": "last"}, LIST),
}


def request_examples(examples: Examples) -> dict[str, Any]:
    """Return the request bodies as OpenAPI examples."""
    return {name: {"summary": one.summary, "value": one.request} for name, one in examples.items()}


def response_examples(examples: Examples) -> dict[str, Any]:
    """Return the response bodies as OpenAPI examples."""
    return {name: {"summary": one.summary, "value": one.response} for name, one in examples.items()}
