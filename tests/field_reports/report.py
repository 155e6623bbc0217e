"""A field report: a fault that people met in some service, tried on this one, and the right answer.

To add one, add a line to the table of what it was tried on; each table has a test module beside it.
"""

from typing import Generic, NamedTuple, TypeVar

Input = TypeVar("Input")
Answer = TypeVar("Answer")


class Report(NamedTuple, Generic[Input, Answer]):
    """One row of a table: where the fault was reported, what is tried, and what is right."""

    source: str
    """The public report, as `owner/project#number`, or `security review`."""
    name: str
    """What is tried, in a few words."""
    tried: Input
    right: Answer

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"
