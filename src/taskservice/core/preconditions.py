"""Preconditions: checks of a task's version before it is changed or removed (RFC 9110, 13)."""

from collections.abc import Callable, Collection
from datetime import datetime

from taskservice.core.errors import StaleTask
from taskservice.core.task import Step, Task

Precondition = Callable[[Task], None]
"""Called with the task before it is changed or removed; raises an error that prevents it."""


def at_version(versions: Collection[int]) -> Precondition:
    """Return a precondition that raises `StaleTask` unless the task is at one of `versions`."""

    def precondition(task: Task) -> None:
        if task.version not in versions:
            raise StaleTask(task.id)

    return precondition


def not_at_version(versions: Collection[int]) -> Precondition:
    """Return a precondition that raises `StaleTask` if the task is at one of `versions`."""

    def precondition(task: Task) -> None:
        if task.version in versions:
            raise StaleTask(task.id)

    return precondition


def must_not_exist(task: Task) -> None:
    """Raise `StaleTask`: the precondition of a request that requires that there is no task."""
    raise StaleTask(task.id)


def both(one: Precondition | None, other: Precondition | None) -> Precondition | None:
    """Return a precondition that checks `one`, then `other`; None if neither is given."""
    if one is None or other is None:
        return one or other

    def precondition(task: Task) -> None:
        one(task)
        other(task)

    return precondition


def with_precondition(precondition: Precondition | None, step: Step) -> Step:
    """Return `step`, preceded by a check of `precondition` if one is given."""
    if precondition is None:
        return step

    def checked_step(task: Task, now: datetime) -> Task:
        precondition(task)
        return step(task, now)

    return checked_step
