"""Who is let in to the tasks, who waits, and who is turned away."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest

from taskservice.adapters.memory import InMemoryTasks
from taskservice.core.admission import WAITING_PER_PLACE, Admission
from taskservice.core.errors import Busy
from taskservice.core.service import TaskService
from taskservice.testing import ADA

PLACES = 2
ROOM = PLACES * WAITING_PER_PLACE


class Crowd:
    """Some who open tasks, one thread each, and stay until they are told to go."""

    def __init__(self, patience: float) -> None:
        self.admission = Admission(InMemoryTasks().open_tasks, places=PLACES, patience=patience)
        self.go = Event()
        self._pool = ThreadPoolExecutor(PLACES + ROOM)

    def come(self, count: int) -> "list[Future[None]]":
        """Let some more come."""
        return [self._pool.submit(self._stay) for _ in range(count)]

    def _stay(self) -> None:
        with self.admission.open_tasks(ADA):
            self.go.wait(30)

    def await_waiting(self, count: int) -> None:
        """Return when so many wait."""
        deadline = monotonic() + 30
        while self.admission.waiting != count:
            assert monotonic() < deadline

    def close(self) -> None:
        self.go.set()
        self._pool.shutdown()


@contextmanager
def crowd(patience: float) -> Iterator[Crowd]:
    found = Crowd(patience)
    yield found
    found.close()


def enter(admission: Admission) -> TaskService:
    with admission.open_tasks(ADA) as tasks:
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
    monkeypatch.setattr("taskservice.core.admission.SHORT", 60)
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
