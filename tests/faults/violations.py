"""What the checker finds."""

from typing import NamedTuple

from tests.faults.history import Operation
from tests.faults.timelines import THE_END, View


class Violation(NamedTuple):
    """A broken promise: its kind, the operation or task that shows it, and how."""

    kind: str
    name: str
    how: str


def kind_at(view: View, during: str) -> str:
    """Return the name of what is wrong: what is missing in the end is lost for good."""
    return "lost" if view.by == THE_END else during


def is_superseded(source: Operation, writes: list[Operation], view: View) -> bool:
    """Tell whether an acknowledged write lies wholly between `source` and `view`."""
    return any(
        one.outcome == "ok" and source.ended < one.began and one.ended < view.began
        for one in writes
    )
