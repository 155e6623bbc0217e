"""The whole corpus: a newcomer adds a line to one of these modules."""

from tests.hostile import (
    access,
    batches,
    bodies,
    conditions,
    framing,
    in_steps,
    moves,
    origins,
    pages,
    placement,
    queries,
    recurrence,
    sync,
    tokens,
    trash,
    values,
)

CORPUS = [
    *access.CASES,
    *tokens.CASES,
    *bodies.CASES,
    *values.CASES,
    *queries.CASES,
    *conditions.CASES,
    *placement.CASES,
    *moves.CASES,
    *recurrence.CASES,
    *sync.CASES,
    *trash.CASES,
    *batches.CASES,
    *in_steps.CASES,
    *framing.CASES,
    *pages.CASES,
    *origins.CASES,
]
