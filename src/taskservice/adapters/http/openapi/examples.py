"""The examples of the document: what is sent, and under the same name what is answered.

Those of one operation follow one another, on a task that is new. A test sends
them to a running service and compares.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

TASK_ID = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
TASK: dict[str, Any] = {
    "id": TASK_ID,
    "user_id": "ada",
    "title": "Buy milk",
    "description": None,
    "completed": False,
    "completed_at": None,
    "created_at": "2026-02-09T10:00:00.123456Z",
    "updated_at": "2026-02-09T10:00:00.123456Z",
    "version": 1,
}
_EVENING = "2026-02-09T18:30:00.654321Z"


class Example(NamedTuple):
    """A request's body and its answer's, with a word on what they show."""

    summary: str
    body: dict[str, Any]
    answer: dict[str, Any]


Examples = Mapping[str, Example]


def _changed(version: int, **members: Any) -> dict[str, Any]:
    return {**TASK, "updated_at": _EVENING, **members, "version": version}


CREATE: Examples = {
    "least": Example("A title is all it needs", {"title": "Buy milk"}, TASK),
    "whole": Example(
        "All that can be set",
        {"title": "Buy bread", "description": "Rye", "completed": True},
        {
            **TASK,
            "title": "Buy bread",
            "description": "Rye",
            "completed": True,
            "completed_at": TASK["created_at"],
        },
    ),
}
UPDATE: Examples = {
    "rename": Example(
        "A new title; the rest stays",
        {"title": "Buy oat milk"},
        _changed(2, title="Buy oat milk"),
    ),
}
PATCH: Examples = {
    "describe": Example(
        "Set the description; the rest stays",
        {"description": "Two litres"},
        _changed(2, description="Two litres"),
    ),
    "clear": Example("Clear the description", {"description": None}, _changed(3)),
}
COMPLETE: Examples = {
    "complete": Example(
        "It is done",
        {"completed": True},
        _changed(2, completed=True, completed_at=_EVENING),
    ),
    "reopen": Example("It is not done after all", {"completed": False}, _changed(3)),
}


def sent(examples: Examples) -> dict[str, Any]:
    """Return the bodies of requests, as the document has them."""
    return {name: {"summary": one.summary, "value": one.body} for name, one in examples.items()}


def answered(examples: Examples) -> dict[str, Any]:
    """Return the bodies of answers, as the document has them."""
    return {name: {"summary": one.summary, "value": one.answer} for name, one in examples.items()}
