"""The commands of batches as operations of their own, to be checked as any other.

A command is done at the moment of its batch, or never. Its name is that of the batch and its
number; a task that it creates has that name as its origin. `$0` in place of an id stands for the
task that the first command creates.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.faults.history import Attempt, Operation, Outcome, Result, operation_of
from tests.faults.timelines import FinalState


def with_commands(history: Iterable[Operation], end: FinalState) -> list[Operation]:
    """Return the operations of a history, and the commands of its batches behind them."""
    found = [one for operation in history for one in _expanded(operation)]
    shown = (seen for one in found for seen in one.seen)
    made = {seen.origin: seen.task for seen in (*shown, *end.rows) if not seen.is_successor}
    return [_resolved(one, made) if one.batch else one for one in found]


def command_name(batch: str, number: int) -> str:
    """Return the name of a command."""
    return f"{batch}.{number}"


def batch_name(command: str) -> str:
    """Return the name of the batch of a command; any other name as it is."""
    return command.partition(".")[0]


def _expanded(one: Operation) -> Iterator[Operation]:
    if one.kind != "batch":
        yield one
        return
    if one.dry_run:
        attempts = (attempt._replace(outcome="fail") for attempt in one.attempts)
        one = one._replace(attempts=tuple(attempts))
    yield one
    is_told = one.outcome == "ok" and len(one.results) == len(one.commands)
    results = one.results if is_told else [None] * len(one.commands)
    for command, result in zip(one.commands, results, strict=True):
        yield _command(one, command, result)


def _command(batch: Operation, command: Mapping[str, Any], result: Result | None) -> Operation:
    """Return a command. If it has a result, that tells what became of it in any attempt."""
    if result is None:
        attempts = [_untold(one) for one in batch.attempts]
        return operation_of(command, attempts, ())._replace(batch=batch.name)
    status, shown = result
    outcome: Outcome = "ok" if status < 300 else "fail"
    attempt = Attempt(batch.began, batch.ended, status, outcome, replayed=False)
    return operation_of(command, [attempt], shown)._replace(batch=batch.name)


def _untold(attempt: Attempt) -> Attempt:
    """Return the attempt of a command whose batch was not done, or does not tell."""
    outcome: Outcome = "fail" if attempt.outcome == "fail" else "info"
    return attempt._replace(outcome=outcome, status=0, replayed=False)


def _resolved(command: Operation, made: Mapping[str, str]) -> Operation:
    """Return a command with ids in place of references.

    Where nobody knows it, the task is None, and the parent stays a reference.
    """

    def resolved(name: str | None) -> str | None:
        if name is None or not name.startswith("$"):
            return name
        return made.get(f"{command.batch}.{name[1:]}")

    parent = command.parent_id and (resolved(command.parent_id) or command.parent_id)
    return command._replace(task=resolved(command.task), parent_id=parent)
