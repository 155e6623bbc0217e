"""The checker notices each bug that is put into the service, under the fault that shows it.

It is what makes sure of the other tests, and takes long: tox -e faults.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults.nemesis import Fault, crash_database, cut, kill_worker, terminate_backends
from tests.faults.postgres_crashes import FragileServer
from tests.faults.restores import User, dump, restored_between
from tests.faults.runs import run
from tests.faults.seeded import BUGS, NAME
from tests.faults.targets import direct

pytestmark = pytest.mark.lengthy

APPLICATION = "tests.faults.seeded:app"


class Trial(NamedTuple):
    """A bug, the fault that shows it, how often, and the kinds of violation that tell it."""

    bug: str
    fault: Fault
    cycles: int
    told_by: set[str]


def nothing(_: object) -> None:
    """Break nothing: answers that are lost, or others who write meanwhile, are enough."""


TRIALS = [
    Trial("acknowledges before COMMIT", kill_worker, 2, {"lost"}),
    Trial("retries without a key", nothing, 1, {"doubled"}),
    Trial("toggles", nothing, 4, {"misanswered"}),
    Trial("reads back", cut, 16, {"applied"}),
    Trial("keeps labels", nothing, 1, {"torn"}),
    Trial("promotes apart", nothing, 4, {"torn"}),
    Trial("leaves a sub-task", nothing, 4, {"split"}),
    Trial("loses moves", nothing, 4, {"lost"}),
    Trial("successor outside the transaction", nothing, 4, {"torn"}),
    Trial("undo deletes an edited successor", nothing, 8, {"lost"}),
    Trial("a second successor on a retry", nothing, 8, {"doubled"}),
    Trial("closes without a successor", nothing, 1, {"lost"}),
    Trial("a number taken outside the lock", nothing, 1, {"misordered"}),
    Trial("a log row written after COMMIT", kill_worker, 2, {"unlogged"}),
    Trial("a restore that keeps the version", nothing, 2, {"misanswered"}),
    Trial("a restore that is lost", nothing, 2, {"lost"}),
    Trial("a purge that leaves a title in the log", nothing, 2, {"unscrubbed"}),
    Trial("a list that sees the trash", nothing, 2, {"resurrected"}),
    Trial("an undo that blanks a later edit", nothing, 4, {"lost"}),
    Trial("a removal that leaves the row in tasks", nothing, 1, {"doubled"}),
    Trial("a savepoint that keeps a failed command's writes", nothing, 4, {"applied"}),
    Trial("a batch committed in two parts", kill_worker, 4, {"partial"}),
    Trial("a keyed batch that is done twice", nothing, 2, {"doubled"}),
    Trial("a dry run that is committed", nothing, 2, {"applied"}),
    Trial("decides early", nothing, 4, {"stale", "lost"}),
    Trial("denies all", nothing, 1, {"applied"}),
]


WITHOUT_SECOND_POSITION = "a delta token without its second position"


def test_each_bug_is_tried() -> None:
    tried = {trial.bug for trial in TRIALS} | {WITHOUT_SECOND_POSITION}
    assert tried == BUGS.keys() - {"none"}


@pytest.mark.parametrize("trial", TRIALS, ids=[trial.bug for trial in TRIALS])
def test_a_bug_is_detected(trial: Trial, tmp_path: Path, postgres_server: FragileServer) -> None:
    """The service with the bug breaks its promises, and the checker says which."""
    settings = {NAME: trial.bug, "TASKSERVICE_POOL_SIZE": "32"}
    faults: Mapping[str, Fault] = {trial.bug: trial.fault}
    with direct(tmp_path, postgres_server, APPLICATION, **settings) as target:
        summary = run(target, faults, trial.cycles, tmp_path, "seeded")
    assert trial.told_by & summary.kinds.keys(), summary


def test_a_token_without_its_second_position_is_detected(
    tmp_path: Path, postgres_server: FragileServer
) -> None:
    """After a restore the client keeps what is undone: it has missed that."""
    settings = {NAME: WITHOUT_SECOND_POSITION}
    with direct(tmp_path, postgres_server, APPLICATION, **settings) as target:
        outcome = restored_between(User(target, "ada"), partial(dump, target, tmp_path))
    assert {violation.kind for violation in outcome.missed} == {"missed"}


def test_without_a_bug_nothing_is_detected(tmp_path: Path, postgres_server: FragileServer) -> None:
    """The same application without a bug keeps its promises under the same faults."""
    faults = {"kill": kill_worker, "cut": cut, "terminate": terminate_backends}
    with direct(tmp_path, postgres_server, APPLICATION, **{NAME: "none"}) as target:
        summary = run(target, faults, len(faults), tmp_path, "sound")
    assert not summary.violations


def test_a_database_that_loses_a_commit_is_detected(
    tmp_path: Path, postgres_server: FragileServer
) -> None:
    """With `synchronous_commit` off, a crash of PostgreSQL loses what was acknowledged."""
    with direct(tmp_path, postgres_server) as target:
        assert target.database is not None
        target.execute(f"ALTER ROLE {target.database.role} SET synchronous_commit = off")
        faults = {"terminate": terminate_backends, "crash": crash_database}
        summary = run(target, faults, 4, tmp_path, "unsynced")
    assert "lost" in summary.kinds
