"""Entities: rules about several fields, and data of other versions."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from taskservice.core.entity import Entity, created_at, updated_at, version
from taskservice.core.errors import FieldError, InvalidEntity
from taskservice.core.fields import field, fields_of, with_fields
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.kinds import Integer, Line
from taskservice.testing import ADA, START


@with_fields
class NewRange:
    """The settable fields of a range."""

    low: int = field(Integer(0, 9), "The lower end.", example=1)
    high: int = field(Integer(0, 9), "The upper end.", example=2, default=9, since=2)


@with_fields
class Range(NewRange, Entity):
    """An entity with a rule about two fields."""

    created_at: datetime = created_at()
    updated_at: datetime = updated_at()
    version: int = version()
    type_name: ClassVar = "range"
    new_type: ClassVar = NewRange

    @classmethod
    def rule_errors(cls, values: Mapping[str, Any]) -> Iterator[FieldError]:
        match values:
            case {"low": low, "high": high} if low > high:
                yield FieldError("low", "must not be above high")


def create(low: int, high: int) -> Range:
    return Range.create(ADA, START, TimeOrderedIds(), NewRange(low=low, high=high))


def test_a_rule_holds_for_a_new_entity_and_for_each_edit() -> None:
    """Not only for an import: what the service stores, it can import again."""
    with pytest.raises(InvalidEntity, match="low must not be above high"):
        create(2, 1)
    made = create(1, 2)
    with pytest.raises(InvalidEntity, match="low must not be above high"):
        made.edit(START + timedelta(seconds=1), low=3)
    made.validate()


def test_a_rule_is_tested_if_all_its_fields_are_there() -> None:
    """So that a request is refused by its own values, before the entity is read."""
    with pytest.raises(InvalidEntity, match="low must not be above high"):
        Range.check_rules({"low": 2, "high": 1})
    Range.check_rules({"low": 2})


def test_fields_of_later_forms_come_last() -> None:
    """A release adds members behind those of earlier ones, also in the constructor."""
    names = ["id", "user_id", "low", "created_at", "updated_at", "version", "high"]
    assert [*fields_of(Range)] == [*vars(create(1, 2))] == names


def test_a_field_that_older_data_lacks_has_its_default() -> None:
    """An unknown member is passed over; a field of form 1 must be there."""
    stored = create(1, 2).dump()
    older = {name: value for name, value in stored.items() if name != "high"}
    assert Range.load({**older, "colour": "red"}).high == 9
    del older["low"]
    with pytest.raises(InvalidEntity, match="low is missing"):
        Range.load(older)


def test_a_field_that_older_data_lacks_needs_a_default() -> None:
    """Else older data could not be read."""
    with pytest.raises(TypeError, match="needs a default"):
        field(Line(9), "A name.", example="x", since=2)


@pytest.mark.parametrize("name", ["type", "owner", "session"])
def test_a_name_that_has_another_meaning_is_refused(name: str) -> None:
    """In a line of an export, or as a parameter of a statement."""
    with pytest.raises(TypeError, match=f"reserved names: {name}"):
        with_fields(type("New", (), {"__annotations__": {name: str}}))


def test_only_settable_fields_are_edited() -> None:
    """Any other name is a mistake of the caller."""
    with pytest.raises(TypeError, match="not settable: version"):
        create(1, 2).edit(START, version=7)
