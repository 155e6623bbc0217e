"""Admission control: which requests are admitted, which wait, and which are rejected."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.errors import Overloaded
from taskservice.core.operations.admission import QUEUE_LIMIT_PER_SLOT, Admission
from taskservice.core.task import NewTask
from taskservice.core.workspace import Workspace
from taskservice.testing import ADA, BOB

SLOTS = 3
QUEUE_LIMIT = SLOTS * QUEUE_LIMIT_PER_SLOT


class Load:
    """Requests that open tasks, each in a thread, and end when `finish` is set."""

    def __init__(self, wait_timeout: float) -> None:
        self.admission = Admission(
            InMemoryStorage().open_workspace, slots=SLOTS, wait_timeout=wait_timeout
        )
        self.finish = Event()
        self.admitted: list[str] = []
        self._pool = ThreadPoolExecutor(SLOTS + QUEUE_LIMIT)

    def start(self, count: int, owner: str = "") -> "list[Future[None]]":
        """Start `count` requests of `owner`, or each of an owner of its own."""
        return [self.start_one(owner or f"user{n}", self.finish) for n in range(count)]

    def start_one(self, owner: str, finish: Event) -> "Future[None]":
        """Start one request, which ends when `finish` is set."""
        return self._pool.submit(self._run, owner, finish)

    def _run(self, owner: str, finish: Event) -> None:
        with self.admission.open_workspace(owner):
            self.admitted.append(owner)
            finish.wait(30)

    def await_queue_length(self, count: int) -> None:
        """Return when `count` requests wait."""
        deadline = monotonic() + 30
        while self.admission.queue_length != count:
            assert monotonic() < deadline

    def await_admitted(self, *owners: str) -> None:
        """Return when requests of exactly these owners have been admitted."""
        deadline = monotonic() + 30
        while sorted(self.admitted) != sorted(owners):
            assert monotonic() < deadline

    def close(self) -> None:
        self.finish.set()
        self._pool.shutdown()


@contextmanager
def running_load(wait_timeout: float) -> Iterator[Load]:
    load = Load(wait_timeout)
    yield load
    load.close()


def open_once(admission: Admission, owner: str = ADA) -> Workspace:
    with admission.open_workspace(owner) as workspace:
        return workspace


def test_a_request_with_a_free_slot_is_admitted() -> None:
    """It opens the tasks of its owner, and releases the slot afterwards."""
    admission = Admission(InMemoryStorage().open_workspace, slots=1, wait_timeout=0)
    for title in ("Buy milk", "Buy bread"):
        with admission.open_workspace(ADA) as workspace:
            assert workspace.tasks.add(NewTask(title=title)).user_id == ADA


def test_a_failed_request_releases_its_slot() -> None:
    """Any exception that leaves the block releases the slot."""
    admission = Admission(InMemoryStorage().open_workspace, slots=1, wait_timeout=0)
    with pytest.raises(RuntimeError), admission.open_workspace(ADA):
        raise RuntimeError
    open_once(admission)


def test_a_waiting_request_gets_a_released_slot() -> None:
    """All requests succeed, those that had a slot and those that waited."""
    with running_load(wait_timeout=30) as load:
        requests = load.start(SLOTS + QUEUE_LIMIT)
        load.await_queue_length(QUEUE_LIMIT)
        load.finish.set()
        assert [request.result(30) for request in requests] == [None] * (SLOTS + QUEUE_LIMIT)


def test_a_request_times_out_in_the_queue() -> None:
    """It fails after the wait timeout, and nothing was opened."""
    with running_load(wait_timeout=0.05) as load:
        load.start(SLOTS)
        with pytest.raises(Overloaded, match="timed out") as caught:
            while True:
                open_once(load.admission)
        assert caught.value.outcome == "not_applied"


def test_a_request_is_rejected_at_once_if_the_queue_is_full() -> None:
    """No slot was released lately, so another request would wait in vain."""
    with running_load(wait_timeout=30) as load:
        load.start(SLOTS + QUEUE_LIMIT)
        load.await_queue_length(QUEUE_LIMIT)
        with pytest.raises(Overloaded, match="is full"):
            open_once(load.admission)


def test_a_burst_is_not_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a whole queue was just finished, another request will be admitted soon."""
    monkeypatch.setattr("taskservice.core.operations.admission.BURST_SECONDS", 60)
    with running_load(wait_timeout=30) as load, running_load(wait_timeout=30) as burst:
        for _ in range(QUEUE_LIMIT):
            open_once(load.admission)
        load.start(SLOTS + QUEUE_LIMIT)
        load.await_queue_length(QUEUE_LIMIT)
        burst.admission = load.admission
        beyond_limit = burst.start(SLOTS)
        load.await_queue_length(QUEUE_LIMIT + SLOTS)
        load.finish.set()
        burst.finish.set()
        assert [request.result(30) for request in beyond_limit] == [None] * SLOTS


def test_one_owner_cannot_take_all_slots() -> None:
    """However many requests one owner has, another owner's request does not wait."""
    with running_load(wait_timeout=30) as load:
        load.start(SLOTS + 5, ADA)
        load.await_queue_length(6)
        open_once(load.admission, BOB)
        assert load.admission.queue_length == 6


def test_the_owner_with_the_fewest_slots_is_admitted_next() -> None:
    """An earlier request waits longer if its owner has more slots."""
    with running_load(wait_timeout=30) as load:
        finish_first = Event()
        load.start_one(ADA, finish_first)
        load.start(SLOTS - 2, ADA)
        load.start(1, "carol")
        load.await_admitted(*[ADA] * (SLOTS - 1), "carol")
        load.start(1, ADA)
        load.await_queue_length(1)
        load.start(1, BOB)
        load.await_queue_length(2)
        finish_first.set()
        load.await_queue_length(1)
        load.await_admitted(*[ADA] * (SLOTS - 1), "carol", BOB)


def test_one_owner_cannot_fill_the_queue() -> None:
    """An owner at the limit per owner is rejected, and other owners may still wait."""
    with running_load(wait_timeout=30) as load:
        load.start(SLOTS - 1 + QUEUE_LIMIT - SLOTS, ADA)
        load.await_queue_length(QUEUE_LIMIT - SLOTS)
        load.start(1, "carol")
        load.await_admitted(*[ADA] * (SLOTS - 1), "carol")
        with pytest.raises(Overloaded, match="is full"):
            open_once(load.admission, ADA)
        load.start(1, BOB)
        load.await_queue_length(QUEUE_LIMIT - SLOTS + 1)


def test_there_must_be_a_slot() -> None:
    """Without a slot no request could ever be admitted."""
    with pytest.raises(ValueError, match="slots must be at least 1"):
        Admission(InMemoryStorage().open_workspace, slots=0, wait_timeout=1)
