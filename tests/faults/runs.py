"""A run: clients work while faults strike; then the checker reads what they wrote down."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import check
from tests.faults.clients import Client, ClientPool
from tests.faults.commands import batch_name
from tests.faults.follower import Follower
from tests.faults.history import Kind, Operation, operations
from tests.faults.lost_answers import Prober
from tests.faults.nemesis import Fault
from tests.faults.observer import Observer
from tests.faults.requests import KnownTasks
from tests.faults.targets import Target
from tests.faults.timelines import FinalState
from tests.faults.violations import Violation

BATCH = 25
"""Cycles that are one history, so that it can be read in a short time."""
USERS = 2
MORE = 3
"""Successes that each client must hear of between two faults."""
RECOVERY_SECONDS = 20
OBSERVED = {"snapshot", "page", "sync"}
"""The kinds that are not counted as operations of clients."""
MOVES: tuple[Kind, ...] = ("delete", "delete_tree", "restore", "purge", "undo", "batch")
"""The kinds whose successes are counted each by itself. Dry runs are not counted."""


@dataclass
class Summary:
    """What has come of a run; two can be added."""

    cycles: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    answers_lost: int = 0
    answers_found: int = 0
    syncs: int = 0
    moves: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Summary") -> None:
        """Count what came of another run too."""
        self.cycles += other.cycles
        self.outcomes += other.outcomes
        self.violations += other.violations
        self.answers_lost += other.answers_lost
        self.answers_found += other.answers_found
        self.syncs += other.syncs
        self.moves += other.moves

    @property
    def kinds(self) -> Counter[str]:
        """Return of how many operations or tasks each kind of promise was broken."""
        return Counter(kind for kind, _ in {(one.kind, one.name) for one in self.violations})

    @property
    def resolved(self) -> float:
        """Return how many per cent of the writes whose answer was lost were counts the truth."""
        return 100 * self.answers_found / self.answers_lost if self.answers_lost else 100.0

    def __str__(self) -> str:
        counts = ", ".join(f"{self.outcomes[name]} {name}" for name in ("ok", "fail", "info"))
        kinds = self.kinds
        promises = {"lost": "lost", "not_applied found applied": "applied", "doubled": "doubled"}
        promises |= {"changes missed": "missed", "changes unlogged": "unlogged"}
        broken = ", ".join(f"{kinds.pop(kind, 0)} {name}" for name, kind in promises.items())
        line = f"{self.cycles} cycles, {self.outcomes.total()} operations: {counts}; {broken}"
        line = f"{line} in {self.syncs} syncs; done: "
        line += ", ".join(f"{self.moves[kind]} {kind}" for kind in MOVES)
        others = "".join(f", {count} {kind}" for kind, count in kinds.items())
        if not self.answers_lost:
            return line + others
        return f"{line}{others}; {self.answers_lost} answers lost, {self.resolved:.1f} % resolved"


def run(
    target: Target, faults: Mapping[str, Fault], cycles: int, folder: Path, seed: str
) -> Summary:
    """Strike `target` with `faults` in turn, `cycles` times, under load."""
    summary = Summary()
    for number, batch in enumerate(_batches(faults, cycles)):
        summary.add(_run_batch(target, batch, folder / f"{number}.jsonl", f"{seed}-{number}"))
    return summary


def _batches(faults: Mapping[str, Fault], cycles: int) -> Iterator[list[tuple[str, Fault]]]:
    turns = itertools.islice(itertools.cycle(faults.items()), cycles)
    while batch := list(itertools.islice(turns, BATCH)):
        yield batch


def _run_batch(
    target: Target, batch: Sequence[tuple[str, Fault]], path: Path, seed: str
) -> Summary:
    """Write one history down, and check it with the end that it led to."""
    users = [f"u{seed}-{number}" for number in range(USERS)]
    followed = [*users, f"u{seed}-probe"]
    with path.open("w") as file:
        pool = ClientPool(target.place, file, users=users, seed=seed)
        followers = [Follower(target.place, user, pool.history, seed) for user in followed]
        prober = _prober(target, pool, followed[-1], seed)
        with pool, Observer(target.rows, pool.history, users), ExitStack() as stack:
            for one in followers:
                stack.enter_context(one)
            _strike(target, batch, pool, prober)
        end = target.end(followed)
        end = end._replace(copied=[copy for one in followers for copy in one.copies()])
    return summarize(path, end, len(batch), prober)


def _strike(
    target: Target, batch: Sequence[tuple[str, Fault]], pool: ClientPool, prober: Prober | None
) -> None:
    """Strike, and let the clients go on after each fault."""
    pool.progress.await_all(MORE, RECOVERY_SECONDS)
    for name, fault in batch:
        fault(target)
        pool.progress.await_all(MORE, RECOVERY_SECONDS, after=name)
        if prober is not None:
            prober.probe()


def _prober(target: Target, pool: ClientPool, user: str, seed: str) -> Prober | None:
    if target.proxy is None:
        return None
    client = Client(len(pool.clients), KnownTasks(user), target.place, pool.history, seed)
    return Prober(client, user, target.proxy)


def summarize(path: Path, end: FinalState, cycles: int, prober: Prober | None) -> Summary:
    """Read a history and the end that it led to, and tell what is wrong."""
    with path.open() as lines:
        history = list(operations(lines))
    violations = check(history, end)
    lost = prober.lost if prober else []
    kinds = Counter(one.kind for one in history)
    return Summary(
        cycles=cycles,
        outcomes=Counter(one.outcome for one in history if one.kind not in OBSERVED),
        violations=violations,
        answers_lost=len(lost),
        answers_found=len(list(_resolved(history, lost, violations))),
        syncs=kinds["sync"],
        moves=Counter(
            one.kind
            for one in history
            if one.outcome == "ok" and one.kind in MOVES and not one.dry_run
        ),
    )


def _resolved(
    history: Sequence[Operation], lost: Sequence[str], violations: Sequence[Violation]
) -> Iterator[Operation]:
    """Yield what was answered with an outcome, and nothing says that it was another."""
    wrong = {batch_name(violation.name) for violation in violations}
    for one in history:
        if one.name in lost and one.outcome != "info" and not wrong & {one.name, one.task}:
            yield one
