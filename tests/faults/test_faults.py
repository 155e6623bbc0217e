"""What was acknowledged is there, and what was denied is not, whatever breaks meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.faults.lost_answers import ANSWERS
from tests.faults.nemesis import DIRECT, EMBEDDED, LOCK_TIMEOUT, POOLED, Fault, fail_statements
from tests.faults.postgres_crashes import FragileServer
from tests.faults.runs import Summary, run
from tests.faults.targets import Target, direct, embedded, pooled, proxied

Tell = Callable[[object], None]

LOST = 0.9
"""Of the answers that are to be lost, half of them to a COMMIT, what share is, at least."""

RESOLVED = 99.0
"""Of the writes whose answer was lost, how many are told the truth, in per cent, at least."""


STORMS = 45
"""Times that statements fail at random, for a second each."""


def held(summary: Summary, tell: Tell) -> Summary:
    """Fail where a promise was broken."""
    tell(summary)
    assert not summary.violations, "\n".join(map(str, summary.violations[:20]))
    return summary


def run_with_faults(
    target: Target, faults: Mapping[str, Fault], cycles: int | None, folder: Path, seed: str
) -> Summary:
    """Strike a target so many times, or with each fault once."""
    return run(target, faults, cycles or len(faults), folder, seed)


def resolved(summary: Summary) -> None:
    """Fail where too few answers were lost to tell, or too few of those writes told the truth.

    Or where nothing was deleted, restored, purged or undone, or no batch was run.
    """
    assert summary.moves.keys() >= {"delete", "restore", "purge", "undo", "batch"}
    assert summary.answers_lost >= LOST * ANSWERS * summary.cycles
    assert summary.resolved >= RESOLVED


def test_sqlite_keeps_its_promises(tmp_path: Path, cycles: int | None, tell: Tell) -> None:
    """Workers and masters that are killed or replaced lose nothing."""
    with embedded(tmp_path) as target:
        held(run_with_faults(target, EMBEDDED, cycles, tmp_path, "sqlite"), tell)


@pytest.mark.lengthy
def test_postgresql_keeps_its_promises(
    tmp_path: Path, postgres_server: FragileServer, cycles: int | None, tell: Tell
) -> None:
    """Nor do a database that restarts or crashes, and a wire that is cut, held or loses answers."""
    with direct(tmp_path, postgres_server) as target:
        summary = held(run_with_faults(target, DIRECT, cycles, tmp_path, "postgresql"), tell)
    resolved(summary)


@pytest.mark.lengthy
@pytest.mark.timeout(600)
def test_a_statement_that_fails_leaves_nothing_behind(
    tmp_path: Path, postgres_server: FragileServer, tell: Tell
) -> None:
    """Lock timeouts, cancelled and terminated statements, on a pool of two: no 500, no leak.

    After each storm everybody is served, on connections that went through it.
    """
    small = {"TASKSERVICE_POOL_SIZE": "2", "TASKSERVICE_LOCK_TIMEOUT": f"{LOCK_TIMEOUT}"}
    storm = {"storm": partial(fail_statements, Random("statements"))}  # noqa: S311
    with direct(tmp_path, postgres_server, **small) as target:
        summary = run(replace(target, proxy=None), storm, STORMS, tmp_path, "statements")
    assert held(summary, tell).outcomes["fail"] > STORMS


@pytest.mark.pooler
def test_postgresql_behind_a_pooler_keeps_its_promises(
    tmp_path: Path, postgres_server: FragileServer, cycles: int | None, tell: Tell
) -> None:
    """The same through PgBouncer in transaction mode, which restarts too."""
    with pooled(tmp_path, postgres_server) as target:
        summary = held(run_with_faults(target, POOLED, cycles, tmp_path, "pooler"), tell)
    resolved(summary)


@pytest.mark.pooler
@pytest.mark.nginx
def test_the_service_behind_nginx_keeps_its_promises(
    tmp_path: Path, postgres_server: FragileServer, cycles: int | None, tell: Tell
) -> None:
    """The same as clients see it through nginx, which says so where the service does not answer."""
    with proxied(tmp_path, postgres_server) as target:
        summary = held(run_with_faults(target, POOLED, cycles, tmp_path, "nginx"), tell)
    resolved(summary)
