"""The derived values fit each kind of field, also those that no settable field has yet."""

import json
import re
from datetime import datetime
from uuid import UUID

import pytest
from tests.hostile.fields import allowed, forbidden, wrong_types
from tests.hostile.rules import NO_RULES, RULES_AT_LIMITS

from taskservice.core.fields import Field, field, fields_of, with_fields
from taskservice.core.kinds import Boolean, Identifier, Integer, Line, Reference, Text, Timestamp
from taskservice.core.recurrence_rule import RULE_LIMIT, RecurrenceText


@with_fields
class Sample:
    """A field of each kind that may be settable."""

    line: str = field(Line(5), "One line.", example="x")
    text: str | None = field(Text(5), "A text, or null.", example="x")
    flag: bool = field(Boolean(), "A flag.", example=True)
    number: int = field(Integer(1, 3), "A number.", example=1)
    unbounded: int = field(Integer(1), "A number without a maximum.", example=1)
    time: datetime | None = field(Timestamp(), "A time, or null.", example=None)
    parent: UUID | None = field(Reference("task"), "Another task, or null.", example=None)
    link: UUID = field(Identifier(), "An id.", example="01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11")
    rule: str | None = field(RecurrenceText(), "A rule, or null.", example=None)


FIELDS = fields_of(Sample).values()
REFUSED = [
    (one, what, value)
    for one in FIELDS
    for what, value in {**wrong_types(one), **forbidden(one.kind)}.items()
    if (one.name, what) != ("unbounded", "2**63 - 1")
]
ALLOWED = [(one, what, value) for one in FIELDS for what, value in allowed(one).items()]


def named(value: object) -> str:
    return value.name if isinstance(value, Field) else str(value)


@pytest.mark.parametrize(("one", "what", "value"), REFUSED, ids=named)
def test_a_hostile_value_is_refused(one: Field, what: str, value: bytes) -> None:
    """An entry with this value is a 422. A settable integer needs a maximum."""
    with pytest.raises(ValueError, match=r"must|is not taken|is there twice|exclude|may|needs"):
        one.parse(json.loads(value))


@pytest.mark.parametrize("detail", NO_RULES)
def test_the_part_of_a_rule_that_is_wrong_is_named(detail: str) -> None:
    """Whatever else a text may be, it is refused for this."""
    for text in NO_RULES[detail]:
        with pytest.raises(ValueError, match=f"^{re.escape(detail)}$"):
            RecurrenceText().parse(text)


def test_the_longest_rule_is_taken() -> None:
    """A letter more is too long."""
    assert max(map(len, RULES_AT_LIMITS)) == RULE_LIMIT


@pytest.mark.parametrize(("one", "what", "value"), ALLOWED, ids=named)
def test_a_value_at_the_limit_is_allowed(one: Field, what: str, value: bytes) -> None:
    """An entry with this value is a success."""
    one.parse(json.loads(value))


@pytest.mark.parametrize("one", FIELDS, ids=named)
def test_every_kind_has_hostile_values(one: Field) -> None:
    """Null is hostile unless the field is nullable."""
    assert len(wrong_types(one)) >= 5
    assert ("null" in wrong_types(one)) == (not one.nullable)
