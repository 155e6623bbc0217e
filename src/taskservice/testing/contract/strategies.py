"""Hypothesis strategies that derive from the fields of entities and the filters of queries."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from taskservice.core.clock import normalize_timestamp
from taskservice.core.entity import Entity
from taskservice.core.errors import InvalidEntity
from taskservice.core.fields import Field, fields_of
from taskservice.core.filters import filters_of
from taskservice.core.ids import first_id
from taskservice.core.kinds import (
    Boolean,
    Choice,
    Identifier,
    Integer,
    Kind,
    Line,
    Owner,
    Reference,
    ReferenceFilter,
    Text,
    Timestamp,
    WordList,
)
from taskservice.core.labels import LABEL_LIMIT, Label, Labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.ordering import PositionKey
from taskservice.core.query import Query, Sort, sort_fields
from taskservice.core.recurrence_rule import RecurrenceText
from taskservice.core.timestamps import YEARS
from taskservice.core.validation import check_label
from taskservice.core.zones import ZONE_NAMES, TimeZone
from taskservice.testing.clock import START
from taskservice.testing.owners import ADA, BOB

# Letters whose case folding is longer, has another byte length, or depends on the locale.
_LETTERS = "abABßẞſİıΣσςéÉﬁΐ%_\\'/ \U0001f600\U00010400\U00010428"
_MAX_LENGTH = 6
_MAX_FILTERS = 3

# Every other one is a time that a `TickingClock` with a step of 400 µs returns.
_NEAR_START = [START + timedelta(microseconds=200 * n) for n in range(-2, 25)]
_FIRST = normalize_timestamp(datetime(YEARS[0], 1, 1, tzinfo=UTC))
_LAST = datetime(YEARS[-1], 12, 31, 23, 59, 59, 999_999, UTC)
_LIMITS = (_FIRST.replace(tzinfo=None), _LAST.replace(tzinfo=None))

# Around a gap and a fold of European zones, and at the limits. The first is a date.
_DATES_AND_TIMES = [
    date(2026, 3, 29),
    *(datetime(2026, 3, 29, hour, 30) for hour in (0, 2, 3, 23)),  # noqa: DTZ001
    *(datetime(2026, 10, 25, hour, 30) for hour in (0, 2, 3)),  # noqa: DTZ001
    date(2026, 3, 30),
    datetime(2026, 3, 30),  # noqa: DTZ001
    date(1970, 1, 1),
    datetime(9998, 12, 31, 23, 59, 59),  # noqa: DTZ001
]
_SAMPLES: Mapping[type[Kind], Sequence[Any]] = {
    Boolean: [False, True],
    Timestamp: [*_NEAR_START, _FIRST, _LAST],
    DateOrTime: _DATES_AND_TIMES,
    PositionKey: ["1", "01932d0e5f0a1", "01932d0e5f0aV", "a"],
    TimeZone: ["UTC", "Europe/Berlin", "Europe/Kiev", "America/Los_Angeles", "Pacific/Kiritimati"],
    RecurrenceText: [
        "FREQ=DAILY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
        "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2",
        "FREQ=YEARLY;UNTIL=20301231",
    ],
}
_LABELS = ["home", "Home", "Straße", "STRASSE", "a b", "%", "_", "é", "\U0001f600"]

FOR_EVERY_ADAPTER = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        # Each adapter has its own class in the same run.
        HealthCheck.differing_executors,
    ],
)
"""The settings of the tests of the contract, which set the number of examples."""


Draw = Callable[[Kind], SearchStrategy[Any]]
"""A function that draws values of a kind: `near_values` or `any_values`."""


def strategy(field: Field, values: Draw) -> SearchStrategy[Any]:
    """Draw the values of a field, and null if it is nullable. A reference is null.

    The contract of trees and lists draws references, as they lead to stored entities.
    """
    if isinstance(field.kind, Reference):
        return st.none()
    return st.none() | values(field.kind) if field.nullable else values(field.kind)


def any_values(kind: Kind) -> SearchStrategy[Any]:
    """Draw any allowed values of a kind."""
    match kind:
        case Text() if not isinstance(kind, Owner):
            letters = st.characters(
                min_codepoint=0x20, include_characters=_breaks(kind), exclude_categories=["Cs"]
            )
            return _texts(kind, letters, kind.limit)
        case Timestamp():
            return st.datetimes(*_LIMITS, timezones=st.just(UTC)).map(normalize_timestamp)
        case DateOrTime():
            times = st.datetimes(*_LIMITS).map(lambda at: at.replace(microsecond=0))
            return times | times.map(datetime.date)
        case TimeZone():
            return st.sampled_from(sorted(ZONE_NAMES))
        case Labels(limit):
            labels = st.text(max_size=LABEL_LIMIT).filter(_is_label)
            lists = st.lists(labels, max_size=min(limit, 5), unique_by=str.casefold)
            return lists.map(kind.from_json)
    return near_values(kind)


def near_values(kind: Kind) -> SearchStrategy[Any]:
    """Draw values of a kind that are short, near to one another, or at the bounds.

    So several entities have equal values, and filters find some of them.
    """
    match kind:
        case Text() if not isinstance(kind, Owner):
            letters = st.sampled_from(_LETTERS + _breaks(kind))
            return _texts(kind, letters, min(_MAX_LENGTH, kind.limit))
        case Integer(minimum, maximum):
            return st.sampled_from([minimum, maximum]) | st.integers(minimum, maximum)
        case Identifier():
            return st.builds(_id, st.sampled_from(_NEAR_START), st.integers(0, 3))
        case WordList(meanings):
            some = st.sampled_from([word for word, _ in meanings])
            return st.lists(some, min_size=1, max_size=3).map(kind.from_json)
        case Labels(limit):
            labels = near_values(Label())
            few = st.lists(labels, max_size=min(3, limit), unique_by=str.casefold)
            return few.map(kind.from_json)
    return st.sampled_from(_samples(kind))


def _samples(kind: Kind) -> Sequence[Any]:
    match kind:
        case Choice(words):
            return words
        case Label():
            return _LABELS
        case Owner():
            return [ADA, BOB]
        case ReferenceFilter():
            return [(None,), (_id(START, 0),)]
    try:
        return _SAMPLES[type(kind)]
    except KeyError:
        raise TypeError(f"no strategy for {kind}") from None


def _texts(kind: Text, letters: SearchStrategy[str], max_length: int) -> SearchStrategy[str]:
    return st.text(letters, max_size=max_length).filter(lambda text: _is_allowed(kind, text))


def _breaks(kind: Kind) -> str:
    return "" if isinstance(kind, Line) else "\n\r\t"


def _is_allowed(kind: Kind, value: Any) -> bool:
    try:
        kind.check(value)
    except ValueError:
        return False
    return True


def _is_label(text: str) -> bool:
    try:
        check_label(text, LABEL_LIMIT)
    except ValueError:
        return False
    return True


def _id(at: datetime, counter: int) -> UUID:
    return UUID(int=first_id(at).int | 7 << 76 | 0b10 << 62 | counter)


def new_entities(entity_type: type[Entity], values: Draw = near_values) -> SearchStrategy[Any]:
    """Draw instances of the class of the settable fields, which a new entity has as they are."""
    drawn = st.fixed_dictionaries(strategies(entity_type.new_type, values))
    return drawn.map(lambda given: _agreeing(entity_type, given))


def _agreeing(entity_type: type[Entity], given: dict[str, Any]) -> Any:
    """Return the given fields, without those that do not agree with the others."""
    try:
        created = entity_type.create(
            ADA, START, lambda at: _id(at, 0), entity_type.new_type(**given)
        )
    except InvalidEntity as error:
        wrong = {one.field for one in error.errors}
        return _agreeing(entity_type, {n: one for n, one in given.items() if n not in wrong})
    return entity_type.new_type(
        **{name: getattr(created, name) for name in fields_of(entity_type.new_type)}
    )


def edits_of(entity_type: type[Entity]) -> SearchStrategy[dict[str, Any]]:
    """Draw the arguments of `Entity.edit`: values of some of the settable fields.

    `Entity.edit` refuses those that do not agree with one another, or with the entity.
    """
    return st.fixed_dictionaries({}, optional=strategies(entity_type.new_type, near_values))


def strategies(cls: type, values: Draw) -> dict[str, SearchStrategy[Any]]:
    """Return the strategy of each field of a class."""
    return {name: strategy(field, values) for name, field in fields_of(cls).items()}


def sorts_of(entity_type: type[Entity]) -> SearchStrategy[Sort]:
    """Draw sort orders by every sortable field."""
    fields = st.sampled_from(sort_fields(entity_type))
    return st.builds(Sort, field=fields, descending=st.booleans())


@st.composite
def queries_of(
    draw: st.DrawFn, query_type: type[Query[Any]], values: Draw = near_values, max_limit: int = 5
) -> Query[Any]:
    """Draw first pages of up to `max_limit` entities, with up to three filters of a query."""
    filters = filters_of(query_type)
    names = st.lists(st.sampled_from([*filters]), max_size=_MAX_FILTERS, unique=True)
    return query_type(
        **{name: draw(values(filters[name].kind)) for name in draw(names)},
        sort=draw(sorts_of(query_type.entity_type)),
        limit=draw(st.integers(1, max_limit)),
        with_total=draw(st.booleans()),
    )
