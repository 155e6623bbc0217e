"""Filters: a query describes each once; parameters and SQL derive from that."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from taskservice.core.fields import cached, fields_of
from taskservice.core.kinds import Kind


class Operator(Enum):
    """How a filter compares the value of a field with its own. Null is never admitted."""

    EQUALS = "="
    AT_LEAST = ">="
    BELOW = "<"
    CONTAINS = "contains"
    """The field has case folding, and so has the text that is searched."""

    def admits(self, value: Any, bound: Any) -> bool:
        """Return whether `value` is admitted by a filter with the value `bound`."""
        match self:
            case Operator.EQUALS:
                return bool(value == bound)
            case Operator.AT_LEAST:
                return value is not None and value >= bound
            case Operator.BELOW:
                return value is not None and value < bound
            case Operator.CONTAINS:
                return value is not None and bound.casefold() in value


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
