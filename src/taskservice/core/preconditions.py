"""Preconditions: checks of an entity's version before it is changed or removed (RFC 9110, 13)."""

from collections.abc import Callable, Collection
from datetime import datetime

from taskservice.core.entity import E, Entity, Step
from taskservice.core.errors import PreconditionRequired, StaleEntity

Precondition = Callable[[E], None]
"""Called with the entity before it is changed or removed; raises an error that prevents it."""


def at_version(versions: Collection[int]) -> Precondition[Entity]:
    """Return a precondition that raises `StaleEntity` unless it is at one of `versions`."""

    def precondition(entity: Entity) -> None:
        if entity.version not in versions:
            raise StaleEntity(entity.id)

    return precondition


def not_at_version(versions: Collection[int]) -> Precondition[Entity]:
    """Return a precondition that raises `StaleEntity` if it is at one of `versions`."""

    def precondition(entity: Entity) -> None:
        if entity.version in versions:
            raise StaleEntity(entity.id)

    return precondition


def must_not_exist(entity: Entity) -> None:
    """Raise `StaleEntity`: the precondition of a request that requires that there is none."""
    raise StaleEntity(entity.id)


def precondition_required(_: Entity) -> None:
    """Raise `PreconditionRequired`: the precondition of a write that must have another one."""
    raise PreconditionRequired


def both(one: Precondition[E] | None, other: Precondition[E] | None) -> Precondition[E] | None:
    """Return a precondition that checks `one`, then `other`; None if neither is given."""
    if one is None or other is None:
        return one or other

    def precondition(entity: E) -> None:
        one(entity)
        other(entity)

    return precondition


def checked(entity: E, precondition: Precondition[E] | None) -> E:
    """Return an entity, after a check of `precondition` if one is given."""
    if precondition is not None:
        precondition(entity)
    return entity


def with_precondition(precondition: Precondition[E] | None, step: Step[E]) -> Step[E]:
    """Return `step`, preceded by a check of `precondition` if one is given."""
    if precondition is None:
        return step

    def checked_step(entity: E, now: datetime) -> E:
        precondition(entity)
        return step(entity, now)

    return checked_step
