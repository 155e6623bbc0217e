"""Hypothesis strategies that derive from the fields of entities and the filters of queries."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from taskservice.core.clock import normalize_timestamp
from taskservice.core.entity import VERSION_LIMIT, Entity
from taskservice.core.fields import Field, fields_of
from taskservice.core.ids import first_id
from taskservice.core.kinds import Boolean, Identifier, Integer, Kind, Line, Owner, Text, Timestamp
from taskservice.core.query import Query, Sort, filters_of, sort_fields
from taskservice.core.timestamps import YEARS
from taskservice.testing.clock import START
from taskservice.testing.owners import ADA, BOB

# Letters whose case folding is longer, has another byte length, or depends on the locale.
LETTERS = "abABßẞſİıΣσςéÉﬁΐ%_\\'/ \U0001f600\U00010400\U00010428"
_LINE_BREAKS = "\n\r\t"
_MAX_LENGTH = 6
_MAX_FILTERS = 3

# Every other one is a time that a `TickingClock` with a step of 400 µs returns.
_NEAR_START = [START + timedelta(microseconds=200 * n) for n in range(-2, 25)]
_FIRST = normalize_timestamp(datetime(YEARS[0], 1, 1, tzinfo=UTC))
_LAST = datetime(YEARS[-1], 12, 31, 23, 59, 59, 999_999, UTC)

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


def strategy(field: Field) -> SearchStrategy[Any]:
    """Draw the values of a field, and null if it is nullable."""
    values = values_of(field.kind)
    return st.none() | values if field.nullable else values


def values_of(kind: Kind) -> SearchStrategy[Any]:
    """Draw values of a kind: short, near to one another, and at the bounds."""
    match kind:
        case Owner():
            return st.sampled_from([ADA, BOB])
        case Text():
            return _texts(kind)
        case Boolean():
            return st.booleans()
        case Integer(minimum, maximum):
            return _integers(minimum, VERSION_LIMIT if maximum is None else maximum)
        case Timestamp():
            return st.sampled_from([*_NEAR_START, _FIRST, _LAST])
        case Identifier():
            return st.builds(_id, st.sampled_from(_NEAR_START), st.integers(0, 3))
    raise TypeError(f"no strategy for {kind}")


def _texts(kind: Text) -> SearchStrategy[str]:
    letters = LETTERS if isinstance(kind, Line) else LETTERS + _LINE_BREAKS
    texts = st.text(st.sampled_from(letters), max_size=min(_MAX_LENGTH, kind.limit))
    return texts.filter(lambda text: _is_allowed(kind, text))


def _is_allowed(kind: Kind, value: Any) -> bool:
    try:
        kind.check(value)
    except ValueError:
        return False
    return True


def _integers(minimum: int, maximum: int) -> SearchStrategy[int]:
    return st.sampled_from([minimum, maximum]) | st.integers(minimum, maximum)


def _id(at: datetime, counter: int) -> UUID:
    return UUID(int=first_id(at).int | 7 << 76 | 0b10 << 62 | counter)


def new_entities(entity_type: type[Entity]) -> SearchStrategy[Any]:
    """Draw instances of the class of the settable fields."""
    new_type = entity_type.new_type
    fields = {name: strategy(field) for name, field in fields_of(new_type).items()}
    return st.builds(new_type, **fields)


def edits_of(entity_type: type[Entity]) -> SearchStrategy[dict[str, Any]]:
    """Draw the arguments of `Entity.edit`: values of some of the settable fields."""
    fields = {name: strategy(field) for name, field in fields_of(entity_type.new_type).items()}
    return st.fixed_dictionaries({}, optional=fields)


def sorts_of(entity_type: type[Entity]) -> SearchStrategy[Sort]:
    """Draw sort orders by every sortable field."""
    fields = st.sampled_from(sort_fields(entity_type))
    return st.builds(Sort, field=fields, descending=st.booleans())


@st.composite
def queries_of(draw: st.DrawFn, query_type: type[Query[Any]], max_limit: int = 5) -> Query[Any]:
    """Draw first pages of up to `max_limit` entities, with up to three filters of a query."""
    filters = filters_of(query_type)
    names = st.lists(st.sampled_from([*filters]), max_size=_MAX_FILTERS, unique=True)
    return query_type(
        **{name: draw(values_of(filters[name].kind)) for name in draw(names)},
        sort=draw(sorts_of(query_type.entity_type)),
        limit=draw(st.integers(1, max_limit)),
        with_total=draw(st.booleans()),
    )
