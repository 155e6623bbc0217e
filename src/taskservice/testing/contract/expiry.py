"""The contract of pruned logs and restored backups: a client that missed changes starts again."""

import warnings
from datetime import UTC, datetime, timedelta
from inspect import getdoc
from itertools import count
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from taskservice.core.changes import Position, first_kept
from taskservice.core.entity import Edit
from taskservice.core.errors import SyncExpired
from taskservice.core.task import Task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase, UntestedGuarantee
from taskservice.testing.contract.delta_sync import add_some
from taskservice.testing.contract.placement import add, new_task
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER
from taskservice.testing.contract.sync_client import (
    SyncClient,
    entries_since,
    everything,
    following,
)
from taskservice.testing.contract.sync_model import Maintenance, SyncModel
from taskservice.testing.owners import ADA

LONG_AGO = datetime(2015, 6, 1, 12, 0, 0, 123456, UTC)
"""A time at which all changes of the tests are old, whatever the time of day is."""

RETENTION = timedelta(days=30)
LONG_PAST = -400
_DAYS = st.sampled_from([-16_000, LONG_PAST, -31, -30, -29, -1, 0, 1, 400])
_STEPS = 30

_numbers = count()


class Expiry(ContractBase):
    """The contract of pruned logs and restored backups. It needs a fixture `maintenance`.

    The fixture returns a `Maintenance` of the storage of `open_workspace`. Without it the tests
    are skipped, each with an `UntestedGuarantee` warning.
    """

    @pytest.fixture
    def maintenance(self, request: pytest.FixtureRequest) -> Maintenance:
        """What prunes, backs up and restores the storage."""
        guarantee, *_ = (getdoc(request.function) or "").splitlines()
        untested = f"NOT TESTED, without a maintenance: {request.node.name}: {guarantee}"
        warnings.warn(UntestedGuarantee(untested), stacklevel=1)
        pytest.skip(untested)

    @pytest.fixture
    def model_runs(self) -> int:
        """How many runs of the random model there are."""
        return 25

    @pytest.fixture(autouse=True)
    def _long_ago(self, clock: TickingClock) -> None:
        clock.now = LONG_AGO

    def test_a_client_that_missed_nothing_never_expires(
        self, open_workspace: OpenWorkspace, clock: TickingClock, maintenance: Maintenance
    ) -> None:
        """A year later it still has the same state."""
        add_some(open_workspace, 4)
        client = following(open_workspace)
        state = client.state
        for _ in range(2):
            clock.now += timedelta(days=365)
            maintenance.prune(clock.now - RETENTION, clock.now)
            page = client.pull(10)
            assert (page.entries, page.more, page.full, page.next) == ([], False, False, state)

    def test_a_client_that_missed_pruned_changes_starts_again(
        self, open_workspace: OpenWorkspace, clock: TickingClock, maintenance: Maintenance
    ) -> None:
        """Then it has everything, and nothing of what was removed meanwhile."""
        removed = add(open_workspace)
        client = following(open_workspace)
        with open_workspace(ADA) as workspace:
            workspace.tasks.remove(removed.id)
            workspace.tasks.add(new_task())
        clock.now += 2 * RETENTION
        maintenance.prune(clock.now - RETENTION, clock.now)
        assert client.is_expired()
        pages = client.follow()
        assert [page.full for page in pages] == [True, True, False]
        assert client.copy == everything(open_workspace)

    def test_a_client_that_missed_recent_changes_goes_on(
        self, open_workspace: OpenWorkspace, clock: TickingClock, maintenance: Maintenance
    ) -> None:
        """However old the last change is that it has seen."""
        task = add(open_workspace)
        client = following(open_workspace)
        clock.now += 2 * RETENTION
        with open_workspace(ADA) as workspace:
            changed = workspace.tasks.change(task.id, Task.complete)
        maintenance.prune(clock.now - RETENTION, clock.now)
        (page,) = client.follow()
        assert [entry.entity for entry in page.entries] == [changed]

    @settings(FOR_EVERY_ADAPTER, max_examples=15)
    @given(days=st.lists(_DAYS, max_size=6))
    def test_pruning_trusts_no_clock(
        self,
        open_workspace: OpenWorkspace,
        clock: TickingClock,
        maintenance: Maintenance,
        days: list[int],
    ) -> None:
        """It keeps what `core.changes.first_kept` says, whatever time the changes are stamped with.

        The positions of what it keeps are known, and no others.
        """
        owner = f"pruned-{next(_numbers)}"
        clock.step = timedelta(0)
        times: dict[int, datetime] = {}
        for number, past in enumerate([LONG_PAST, *days], 1):
            clock.now = times[number] = LONG_AGO + timedelta(days=past)
            with open_workspace(owner) as workspace:
                workspace.tasks.add(new_task())
        begin = Position(0, 0)
        positions = [
            begin,
            *(one.position for one in entries_since(open_workspace, begin, owner=owner)),
        ]
        maintenance.prune(LONG_AGO - RETENTION, LONG_AGO)
        kept = first_kept(times, LONG_AGO - RETENTION, LONG_AGO)
        known = [one for one in positions if _is_known(open_workspace, owner, one)]
        assert known == positions[0 if kept <= 1 else kept :]
        assert len(entries_since(open_workspace, known[0], owner=owner)) == len(known) - 1

    def test_a_backup_from_before_what_a_client_saw_expires_it(
        self, open_workspace: OpenWorkspace, maintenance: Maintenance
    ) -> None:
        """Also after others have used the same numbers."""
        clients = [following(open_workspace) for _ in range(2)]
        restore = maintenance.back_up()
        add(open_workspace)
        for client in clients:
            client.follow()
        restore()
        assert clients[0].is_expired()
        for _ in range(2):
            add(open_workspace)
        assert clients[1].is_expired()
        for client in clients:
            client.follow()
            assert client.copy == everything(open_workspace)

    def test_a_backup_from_after_what_a_client_saw_changes_nothing_for_it(
        self, open_workspace: OpenWorkspace, maintenance: Maintenance
    ) -> None:
        """It goes on with the changes that are in the backup, and with those made since."""
        client = following(open_workspace)
        in_backup = add(open_workspace)
        restore = maintenance.back_up()
        add(open_workspace)
        restore()
        after = add(open_workspace)
        (page,) = client.follow()
        assert [entry.entity for entry in page.entries] == [in_backup, after]

    def test_a_backup_from_before_what_a_page_showed_expires_its_client(
        self, open_workspace: OpenWorkspace, maintenance: Maintenance
    ) -> None:
        """A page that is cut shows entities as they became later than where it ends."""
        task = add(open_workspace)
        client = following(open_workspace)
        with open_workspace(ADA) as workspace:
            workspace.tasks.change(task.id, Edit({"title": "Buy bread"}))
        add(open_workspace)
        restore = maintenance.back_up()
        with open_workspace(ADA) as workspace:
            changed = workspace.tasks.change(task.id, Edit({"title": "Buy butter"}))
        page = client.pull(1)
        assert [entry.entity for entry in page.entries] == [changed]
        restore()
        assert client.is_expired()

    def test_a_backup_from_before_a_page_of_a_first_sync_expires_its_client(
        self, open_workspace: OpenWorkspace, maintenance: Maintenance
    ) -> None:
        """The pages of a first sync show entities later than where it began, too."""
        add_some(open_workspace, 8)
        client = SyncClient(open_workspace)
        client.pull(1)
        restore = maintenance.back_up()
        client.pull(1)
        with open_workspace(ADA) as workspace:
            workspace.tasks.remove(add(open_workspace).id)
        client.pull(1)
        restore()
        assert client.is_expired()

    def test_a_backup_from_during_a_first_sync_changes_nothing_for_its_client(
        self, open_workspace: OpenWorkspace, maintenance: Maintenance
    ) -> None:
        """If the backup has all that the client was shown."""
        add_some(open_workspace, 8)
        client = SyncClient(open_workspace)
        client.pull(1)
        add(open_workspace)
        client.pull(1)
        restore = maintenance.back_up()
        add(open_workspace)
        restore()
        pages = client.follow()
        assert pages[0].full
        assert client.copy == everything(open_workspace)

    def test_a_client_agrees_after_anything(
        self,
        open_workspace: OpenWorkspace,
        clock: TickingClock,
        maintenance: Maintenance,
        model_runs: int,
    ) -> None:
        """A random model: writes, pages, prunings and restored backups in any order."""
        restore_empty_storage = maintenance.back_up()

        def model() -> SyncModel:
            restore_empty_storage()
            clock.now = LONG_AGO
            owner = f"model-{next(_numbers)}"
            return SyncModel(open_workspace, owner, clock, maintenance)

        chosen = settings(FOR_EVERY_ADAPTER, max_examples=model_runs, stateful_step_count=_STEPS)
        run_state_machine_as_test(cast(type[SyncModel], model), settings=chosen)


def _is_known(open_workspace: OpenWorkspace, owner: str, position: Position) -> bool:
    """Return whether a client at a position could go on."""
    with open_workspace(owner) as workspace:
        try:
            workspace.changes.since(position, position, 1)
        except SyncExpired:
            return False
        return True
