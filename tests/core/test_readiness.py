"""One look for all who ask at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from taskservice.core.errors import Unavailable
from taskservice.core.operations.readiness import GOOD_FOR, SharedProbe

AWAY = "the database is away"


class Part:
    """A part that is looked at, fit or not, and the time by its clock."""

    def __init__(self) -> None:
        self.looks = 0
        self.now = 0.0
        self.fails: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.probe = SharedProbe(self.look, lambda: self.now, patience=30)

    def look(self) -> None:
        self.looks += 1
        self.meanwhile()
        if self.fails:
            raise self.fails


@pytest.fixture
def part() -> Part:
    return Part()


@pytest.mark.parametrize("fails", [None, Unavailable(AWAY)])
def test_those_who_come_during_a_look_take_its_result(part: Part, fails: Exception | None) -> None:
    """However long it takes, and whatever it finds: nobody looks again, and nobody is let off."""
    part.fails = fails
    began, came, callers = Event(), Event(), 20
    read: list[float] = []

    def clock() -> float:
        read.append(part.now)
        if len(read) == callers:
            came.set()
        return part.now

    def meanwhile() -> None:
        began.set()
        assert came.wait(30)
        part.now += 10 * GOOD_FOR

    part.meanwhile, part.probe = meanwhile, SharedProbe(part.look, clock, 30)
    with ThreadPoolExecutor(callers) as pool:
        first = pool.submit(part.probe)
        assert began.wait(30)
        others = [pool.submit(part.probe) for _ in range(callers - 1)]
        found = [future.exception(30) for future in (first, *others)]
    assert (part.looks, len(read)) == (1, callers + 1), "who has waited came when they came"
    assert [str(error) for error in found] == [str(fails)] * callers


@pytest.mark.parametrize("fails", [None, Unavailable(AWAY)])
def test_a_result_is_good_for_a_moment(part: Part, fails: Exception | None) -> None:
    """Until `GOOD_FOR` after the look, and then it is looked again: for better or for worse."""

    def found() -> str:
        try:
            part.probe()
        except Unavailable as error:
            return str(error)
        return "None"

    other = None if fails else Unavailable(AWAY)
    part.fails = fails
    assert found() == str(fails)
    part.fails = other
    part.now = GOOD_FOR
    assert (found(), part.looks) == (str(fails), 1)
    part.now = GOOD_FOR * 1.01
    assert (found(), part.looks) == (str(other), 2)


def test_a_defect_is_shown_and_not_kept(part: Part) -> None:
    """What is no `Unavailable` is told to whoever looked; the next one looks again."""
    part.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        part.probe()
    part.fails = None
    part.probe()
    assert part.looks == 2


def test_a_look_that_takes_long_keeps_no_thread() -> None:
    """Whoever comes meanwhile is told so at once; the one who looks hears what it finds."""
    began, go = Event(), Event()

    def look() -> None:
        began.set()
        assert go.wait(30)

    probe = SharedProbe(look, patience=0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(probe)
        assert began.wait(30)
        with pytest.raises(Unavailable, match="is being looked at"):
            probe()
        go.set()
        assert first.exception(30) is None
