"""Filters: a query describes each once; parameters and SQL derive from that."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from taskservice.core.fields import cached, fields_of
from taskservice.core.kinds import Kind
from taskservice.core.labels import fold_label, fold_labels


class Operator(Enum):
    """How a filter compares the value of a field with its own.

    Null is admitted by `AT_MOST_OR_NULL`, and if the filter has it among its values.
    """

    EQUALS = "="
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST_OR_NULL = "<= or null"
    CONTAINS = "contains"
    """The field has case folding, and so has the text that is searched."""
    IS_SET = "is not null"
    """The value of the filter is true, or false for null only."""
    IN = "in"
    HAS_ALL = "has all"
    HAS_ANY = "has any"
    """The field has labels, which are compared whatever the case."""
    CONTEXT = "context"
    """The filter compares nothing: it says how others are read."""

    def admits(self, value: Any, bound: Any) -> bool:
        """Return whether `value` is admitted by a filter with the value `bound`."""
        return bool(_ADMITS[self](value, bound))


def _has(labels: tuple[str, ...], label: str) -> bool:
    return fold_label(label) in fold_labels(labels)


_ADMITS: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUALS: lambda value, bound: value == bound,
    Operator.AT_LEAST: lambda value, bound: value is not None and value >= bound,
    Operator.BELOW: lambda value, bound: value is not None and value < bound,
    Operator.AT_MOST_OR_NULL: lambda value, bound: value is None or value <= bound,
    Operator.CONTAINS: lambda value, bound: value is not None and bound.casefold() in value,
    Operator.IS_SET: lambda value, bound: (value is not None) == bound,
    Operator.IN: lambda value, bound: value in bound,
    Operator.HAS_ALL: lambda value, bound: all(_has(value, one) for one in bound),
    Operator.HAS_ANY: lambda value, bound: any(_has(value, one) for one in bound),
}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """The description of a filter: the field, the operator, and the query parameter."""

    name: str
    field: str
    operator: Operator
    kind: Kind
    doc: str
    example: Any
    parameter: str


def filter_by(
    field: str,
    operator: Operator,
    doc: str,
    *,
    example: Any,
    kind: Kind | None = None,
    parameter: str | None = None,
) -> Any:
    """Describe a filter of a query; see `Filter`. Its default is None, which admits everything.

    `kind` is by default that of the field, and `parameter` the name of the filter.
    """
    described = {
        "field": field,
        "operator": operator,
        "doc": doc,
        "example": example,
        "kind": kind,
        "parameter": parameter,
    }
    return dataclasses.field(default=None, metadata=described)


@cached
def filters_of(query_type: type) -> Mapping[str, Filter]:
    """Return the filters of a query by name."""
    return {
        one.name: Filter(
            **{
                **one.metadata,
                "name": one.name,
                "kind": one.metadata["kind"] or _kind(query_type, one.metadata["field"]),
                "parameter": one.metadata["parameter"] or one.name,
            }
        )
        for one in dataclasses.fields(query_type)
        if one.metadata
    }


def _kind(query_type: Any, field: str) -> Kind:
    return fields_of(query_type.entity_type)[field].kind
