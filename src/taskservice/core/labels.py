"""Labels of tasks: short names that a task has, compared whatever the case."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from taskservice.core.kinds import InvalidItems, Kind
from taskservice.core.validation import LABEL_PATTERN, check_label

LABEL_LIMIT = 100
"""The maximum length of a label, in code points."""

LABELS_PER_TASK = 50
"""The maximum number of labels of one task."""

LABELS_PER_FILTER = 10
"""The maximum number of labels in a filter."""

COUNTS_LIMIT = 1000
"""The maximum number of labels that are counted."""

_SEPARATOR = "\x1f"


def fold_label(label: str) -> str:
    """Return a label with case folding, between separators that no label has."""
    return f"{_SEPARATOR}{label.casefold()}{_SEPARATOR}"


def fold_labels(labels: Iterable[str]) -> str:
    """Return labels as a text that contains `fold_label` of each, or an empty one."""
    folded = _SEPARATOR.join(label.casefold() for label in labels)
    return f"{_SEPARATOR}{folded}{_SEPARATOR}" if folded else ""


@dataclass(frozen=True)
class Label(Kind):
    """One label."""

    def json_schema(self) -> dict[str, Any]:
        """Return the limits and a pattern."""
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": LABEL_LIMIT,
            "pattern": LABEL_PATTERN,
        }

    def check(self, value: str) -> None:
        """Check the length; a comma and white space at an end are not allowed."""
        check_label(value, LABEL_LIMIT)


@dataclass(frozen=True)
class Labels(Kind):
    """Up to `limit` labels, no two of which are equal in any case."""

    limit: int = LABELS_PER_TASK

    json_type = list
    type_error = "must be an array of strings"

    def json_schema(self) -> dict[str, Any]:
        """Return the limits, and a pattern for the items."""
        return {"type": "array", "maxItems": self.limit, "items": Label().json_schema()}

    def from_json(self, value: object) -> tuple[str, ...]:
        """Return the labels as they were sent. Raises `InvalidItems` with each error."""
        labels = super().from_json(value)
        self.check(labels)
        return tuple(labels)

    def to_json(self, value: tuple[str, ...]) -> list[str]:
        """Return the labels as a list."""
        return list(value)

    def check(self, value: Sequence[str]) -> None:
        """Check the number of labels and each of them. Raises `InvalidItems` with each error."""
        if len(value) > self.limit:
            raise ValueError(f"must have at most {self.limit} labels")
        if errors := dict(_label_errors(value)):
            raise InvalidItems(errors)


def _label_errors(labels: Sequence[object]) -> Iterator[tuple[int, str]]:
    """Yield the index and the error of each label that is not valid."""
    seen = set()
    for index, label in enumerate(labels):
        try:
            folded = Label().parse(label).casefold()
        except ValueError as error:
            yield index, str(error)
            continue
        if folded in seen:
            yield index, "is there already, whatever the case"
        seen.add(folded)


@dataclass(frozen=True)
class LabelCount:
    """A label, and the numbers of tasks that have it: open ones, and all."""

    label: str
    open: int
    all: int


def count_labels(groups: Iterable[tuple[tuple[str, ...], int, int]]) -> list[LabelCount]:
    """Return the counts of labels by code point, at most `COUNTS_LIMIT`.

    A group is the labels that some tasks have, the number of those that are open, and
    of all. Labels that differ in case are one, in the spelling that most tasks have.
    """
    spellings: dict[str, Counter[str]] = {}
    open_tasks: Counter[str] = Counter()
    for labels, open_count, count in groups:
        for label in labels:
            folded = label.casefold()
            spellings.setdefault(folded, Counter())[label] += count
            open_tasks[folded] += open_count
    counts = (
        LabelCount(_most_frequent(counter), open_tasks[folded], counter.total())
        for folded, counter in spellings.items()
    )
    return sorted(counts, key=attrgetter("label"))[:COUNTS_LIMIT]


def _most_frequent(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda label: (-spellings[label], label))
