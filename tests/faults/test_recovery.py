"""After an outage the service is itself again at once, by itself: it measures (tox -e faults)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from tests.faults.load import SUCCESSES
from tests.faults.postgres_crashes import FragileServer
from tests.faults.recovery import (
    RESTARTS,
    WAKE_SECONDS,
    idle_restart,
    repeated,
    report,
    restart_under_load,
    silence,
    wake,
)
from tests.faults.targets import Target, direct

pytestmark = pytest.mark.lengthy

Tell = Callable[[object], None]


@pytest.fixture(scope="module")
def target(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: FragileServer
) -> Iterator[Target]:
    with direct(Path(tmp_path_factory.mktemp("recovery")), postgres_server) as target:
        yield target


def test_a_restart_under_load_is_over_when_the_database_is_back(target: Target, tell: Tell) -> None:
    """Read and write again, or 503; within a second of the server, and 1.5 times psycopg's time."""
    restarts = [restart_under_load(target) for _ in range(RESTARTS)]
    tell(report(restarts))
    for one in restarts:
        assert one.statuses.keys() - {503} == SUCCESSES
    assert max(one.served - one.ready for one in restarts) < 1
    assert median(one.ratio for one in restarts) <= 1.5


def test_an_idle_restart_is_not_noticed(target: Target, tell: Tell) -> None:
    calls = repeated(idle_restart, target)
    tell(calls)
    assert calls.statuses.keys() == SUCCESSES


def test_a_database_that_wakes_slowly_is_waited_for(target: Target, tell: Tell) -> None:
    """All connections cut, 800 ms for a new one: every request succeeds."""
    calls = repeated(wake, target)
    tell(calls)
    assert calls.statuses.keys() == SUCCESSES
    assert calls.longest > WAKE_SECONDS


def test_a_silent_database_is_given_up(target: Target, tell: Tell) -> None:
    """503 within 5 s, whether a connection is there or is to be made; then service as before."""
    calls = silence(target)
    tell(calls)
    assert calls.statuses.keys() == {503}
    assert calls.longest < 5
    assert idle_restart(target).statuses.keys() == SUCCESSES
