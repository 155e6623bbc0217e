"""Whether two things take the same time: pairs of measurements, and how surprising they are."""

from collections.abc import Callable
from math import sqrt
from random import Random
from statistics import median
from time import perf_counter
from typing import NamedTuple

SURPRISING = 3.9
"""Standard deviations that chance passes, to either side, once in 10,000 runs."""


class Comparison(NamedTuple):
    """How often, of how many pairs, the first took longer; and the median of the differences."""

    longer: int
    pairs: int
    seconds: float

    @property
    def surprise(self) -> float:
        """How many standard deviations this is from what it is where both take the same time.

        Then each of a pair is the longer one as often as the other (the sign
        test, which asks nothing of how times are distributed).
        """
        return (2 * self.longer - self.pairs) / sqrt(self.pairs)

    @property
    def is_measurable(self) -> bool:
        """Whether the two do not take the same time."""
        return abs(self.surprise) > SURPRISING


def compared(
    first: Callable[[], object], second: Callable[[], object], *, pairs: int, random: Random
) -> Comparison:
    """Run both, in pairs, each as often in front as behind, and compare what they take."""
    differences = []
    for _ in range(pairs):
        if random.random() < 0.5:
            one = _seconds(first)
            differences.append(one - _seconds(second))
        else:
            other = _seconds(second)
            differences.append(_seconds(first) - other)
    longer = sum(difference > 0 for difference in differences)
    return Comparison(longer, pairs, median(differences))


def _seconds(action: Callable[[], object]) -> float:
    began = perf_counter()
    action()
    return perf_counter() - began
