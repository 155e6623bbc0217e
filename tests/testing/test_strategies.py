"""The strategies of the contract draw allowed values, of every kind of field."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskservice.core import kinds
from taskservice.core.fields import field, fields_of, with_fields
from taskservice.core.kinds import Boolean, Integer, Kind
from taskservice.core.labels import Label, Labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.ordering import PositionKey
from taskservice.core.recurrence_rule import RecurrenceText
from taskservice.core.zones import TimeZone
from taskservice.testing.contract.strategies import Draw, any_values, near_values, strategy

CORE = "taskservice.core."
KINDS: list[Kind] = [
    kinds.Line(1),
    kinds.Line(255),
    kinds.Text(3),
    kinds.SearchText(255),
    kinds.Owner(128),
    kinds.Boolean(),
    kinds.Integer(-1, 1),
    kinds.Integer(1),
    kinds.Timestamp(),
    kinds.Identifier(),
    kinds.Reference("task"),
    kinds.ReferenceFilter("none"),
    PositionKey(),
    kinds.Choice(("a", "b")),
    kinds.WordList((("a", (1,)), ("b", (None,)), ("ab", (None, 1)))),
    DateOrTime(),
    TimeZone(),
    RecurrenceText(),
    Label(),
    Labels(),
    Labels(2),
]


def subclasses(cls: type[Kind]) -> Iterator[type[Kind]]:
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_kind_is_tested() -> None:
    """A new kind of fields needs a strategy, and a line above; one of a body alone does not."""
    of_fields = {one for one in subclasses(Kind) if one.__module__.startswith(CORE)}
    assert {type(kind) for kind in KINDS} == of_fields


@pytest.mark.parametrize("values", [near_values, any_values])
@pytest.mark.parametrize("kind", KINDS, ids=repr)
@given(data=st.data())
def test_drawn_values_are_allowed(kind: Kind, values: Draw, data: st.DataObject) -> None:
    """An adapter must store each of them, and JSON carries it."""
    value = data.draw(values(kind))
    kind.check(value)
    assert kind.from_json(kind.to_json(value)) == value


@with_fields
class Sample:
    """Fields with few values."""

    number: int = field(Integer(0, 2), "A number.", example=1)
    rating: int | None = field(Integer(0, 2), "A number, or null.", example=None)
    flag: bool | None = field(Boolean(), "A flag, or null.", example=None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("number", {0, 1, 2}), ("rating", {0, 1, 2, None}), ("flag", {True, False, None})],
)
def test_every_value_of_a_small_field_is_drawn(name: str, expected: set[object]) -> None:
    """So are the bounds of each field, and null if it is nullable."""
    drawn = set()

    @given(strategy(fields_of(Sample)[name], near_values))
    def draw(value: object) -> None:
        drawn.add(value)

    draw()
    assert drawn == expected
