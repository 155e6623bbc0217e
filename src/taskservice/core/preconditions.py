"""Conditions on the present state of a task, tested in the step that changes it."""

from collections.abc import Callable, Collection
from datetime import datetime

from taskservice.core.errors import StaleTask
from taskservice.core.task import Step, Task

Guard = Callable[[Task], None]
"""Looks at a task before it is changed or removed; raises what forbids it."""


def at_version(versions: Collection[int]) -> Guard:
    """Return the guard that raises `StaleTask` unless the task is at one of `versions`."""

    def guard(task: Task) -> None:
        if task.version not in versions:
            raise StaleTask(task.id)

    return guard


def not_at_version(versions: Collection[int]) -> Guard:
    """Return the guard that raises `StaleTask` where the task is at one of `versions`."""

    def guard(task: Task) -> None:
        if task.version in versions:
            raise StaleTask(task.id)

    return guard


def absent(task: Task) -> None:
    """Raise `StaleTask`: the guard of what is wanted only where there is no task."""
    raise StaleTask(task.id)


def both(one: Guard | None, other: Guard | None) -> Guard | None:
    """Return the guard that looks as `one` does, then as `other`; None where neither is one."""
    if one is None or other is None:
        return one or other

    def guard(task: Task) -> None:
        one(task)
        other(task)

    return guard


def guarded(guard: Guard | None, step: Step) -> Step:
    """Return `step`, taken only where `guard`, if there is one, lets it."""
    if guard is None:
        return step

    def guarded_step(task: Task, now: datetime) -> Task:
        guard(task)
        return step(task, now)

    return guarded_step
