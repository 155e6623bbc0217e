"""Who is let in to the tasks, who waits, and who is turned away."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest

from taskservice.adapters.memory import InMemoryTasks
from taskservice.core.errors import Busy
from taskservice.core.operations.admission import WAITING_PER_PLACE, Admission
from taskservice.core.service import TaskService
from taskservice.testing import ADA, BOB

PLACES = 3
ROOM = PLACES * WAITING_PER_PLACE


class Crowd:
    """Some who open tasks, one thread each, and stay until they are told to go."""

    def __init__(self, patience: float) -> None:
        self.admission = Admission(InMemoryTasks().open_tasks, places=PLACES, patience=patience)
        self.go = Event()
        self.entered: list[str] = []
        self._pool = ThreadPoolExecutor(PLACES + ROOM)

    def come(self, count: int, owner: str = "") -> "list[Future[None]]":
        """Let some more come, for one owner, or else each for themselves."""
        return [self._pool.submit(self._stay, owner or f"user{n}", self.go) for n in range(count)]

    def come_until(self, go: Event, owner: str) -> "Future[None]":
        """Let one come who stays until `go`, and return when it is in, or waits."""
        return self._pool.submit(self._stay, owner, go)

    def _stay(self, owner: str, go: Event) -> None:
        with self.admission.open_tasks(owner):
            self.entered.append(owner)
            go.wait(30)

    def await_waiting(self, count: int) -> None:
        """Return when so many wait."""
        deadline = monotonic() + 30
        while self.admission.waiting != count:
            assert monotonic() < deadline

    def await_entered(self, *owners: str) -> None:
        """Return when these are in, or were."""
        deadline = monotonic() + 30
        while sorted(self.entered) != sorted(owners):
            assert monotonic() < deadline

    def close(self) -> None:
        self.go.set()
        self._pool.shutdown()


@contextmanager
def crowd(patience: float) -> Iterator[Crowd]:
    found = Crowd(patience)
    yield found
    found.close()


def enter(admission: Admission, owner: str = ADA) -> TaskService:
    with admission.open_tasks(owner) as tasks:
        return tasks


def test_who_finds_a_place_is_let_in() -> None:
    """What is opened is the tasks of the one who asks, and the place is free afterwards."""
    admission = Admission(InMemoryTasks().open_tasks, places=1, patience=0)
    for title in ("Buy milk", "Buy bread"):
        with admission.open_tasks(ADA) as tasks:
            assert tasks.add(title=title).user_id == ADA


def test_a_place_is_free_after_a_failure() -> None:
    """Whatever leaves the block, the place is left."""
    admission = Admission(InMemoryTasks().open_tasks, places=1, patience=0)
    with pytest.raises(RuntimeError), admission.open_tasks(ADA):
        raise RuntimeError
    enter(admission)


def test_who_waits_is_let_in_when_a_place_is_left() -> None:
    """All of those who were in, and those who waited, were served."""
    with crowd(patience=30) as people:
        served = people.come(PLACES + ROOM)
        people.await_waiting(ROOM)
        people.go.set()
        assert [one.result(30) for one in served] == [None] * (PLACES + ROOM)


def test_who_has_waited_in_vain_is_told_so() -> None:
    """After as long as patience lasts, and nothing was opened."""
    with crowd(patience=0.05) as people:
        people.come(PLACES)
        with pytest.raises(Busy, match="in time") as caught:
            while True:
                enter(people.admission)
        assert caught.value.outcome == "not_applied"


def test_who_finds_the_waiting_room_full_is_turned_away_at_once() -> None:
    """Where nobody has left a place lately, one more would wait in vain."""
    with crowd(patience=30) as people:
        people.come(PLACES + ROOM)
        people.await_waiting(ROOM)
        with pytest.raises(Busy, match="too many"):
            enter(people.admission)


def test_a_burst_is_not_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where as many as the room holds have just been served, one more is served soon."""
    monkeypatch.setattr("taskservice.core.operations.admission.SHORT", 60)
    with crowd(patience=30) as people, crowd(patience=30) as others:
        for _ in range(ROOM):
            enter(people.admission)
        people.come(PLACES + ROOM)
        people.await_waiting(ROOM)
        others.admission = people.admission
        late = others.come(PLACES)
        people.await_waiting(ROOM + PLACES)
        people.go.set()
        others.go.set()
        assert [one.result(30) for one in late] == [None] * PLACES


def test_one_owner_leaves_a_place_to_others() -> None:
    """However many of one owner come, somebody else is let in without waiting."""
    with crowd(patience=30) as people:
        people.come(PLACES + 5, ADA)
        people.await_waiting(6)
        enter(people.admission, BOB)
        assert people.admission.waiting == 6


def test_the_only_place_may_be_anybodys() -> None:
    """One place is not kept free from its first user."""
    enter(Admission(InMemoryTasks().open_tasks, places=1, patience=0))


def test_who_has_the_fewest_places_is_called_in_first() -> None:
    """Whoever came first waits on, where somebody else has less."""
    with crowd(patience=30) as people:
        first_leaves = Event()
        people.come_until(first_leaves, ADA)
        people.come(PLACES - 2, ADA)
        people.come(1, "carol")
        people.await_entered(*[ADA] * (PLACES - 1), "carol")
        people.come(1, ADA)
        people.await_waiting(1)
        people.come(1, BOB)
        people.await_waiting(2)
        first_leaves.set()
        people.await_waiting(1)
        people.await_entered(*[ADA] * (PLACES - 1), "carol", BOB)


def test_one_owner_leaves_room_to_wait() -> None:
    """Whoever has filled the waiting room as far as one may is turned away, and nobody else."""
    with crowd(patience=30) as people:
        people.come(PLACES - 1 + ROOM - PLACES, ADA)
        people.await_waiting(ROOM - PLACES)
        people.come(1, "carol")
        people.await_entered(*[ADA] * (PLACES - 1), "carol")
        with pytest.raises(Busy, match="too many"):
            enter(people.admission, ADA)
        people.come(1, BOB)
        people.await_waiting(ROOM - PLACES + 1)


def test_there_must_be_a_place() -> None:
    """Nobody could ever be let in."""
    with pytest.raises(ValueError, match="a place"):
        Admission(InMemoryTasks().open_tasks, places=0, patience=1)
