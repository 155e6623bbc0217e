"""Fields: an entity describes each once; columns, schemas and parsers derive from that."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from functools import cache
from typing import Any, TypeVar, cast, dataclass_transform, get_args, get_type_hints

from taskservice.core.errors import FieldError
from taskservice.core.kinds import InvalidItems, Kind

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")

RESERVED_NAMES = {"type", "owner", "session"}
"""Names that no field may have: lines of an export and parameters of statements use them."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """The description of one field of an entity, for everything that derives from it.

    `doc` is one sentence for the OpenAPI document, `example` its value there.
    `default` is the value where the field is absent, `MISSING` if it must be given.
    An index must serve a sort by a field that is `sortable`. `since` is the form
    of the stored data that introduced the field (`core.entity.FORM`).
    """

    name: str
    kind: Kind
    doc: str
    example: Any
    default: Any
    nullable: bool
    sortable: bool
    since: int

    @property
    def is_required(self) -> bool:
        """Whether the field must be given."""
        return self.default is MISSING

    def check(self, value: Any) -> None:
        """Raise `ValueError` with the reason if the value is not allowed."""
        if value is not None:
            self.kind.check(value)
        elif not self.nullable:
            raise ValueError("must not be null")

    def from_json(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError`."""
        return None if value is None and self.nullable else self.kind.from_json(value)

    def parse(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError` if it is not allowed."""
        return None if value is None and self.nullable else self.kind.parse(value)

    def sort_key(self, value: Any) -> tuple[Any, ...]:
        """Return what sorts the value among others of the field, null as the greatest."""
        return (True,) if value is None else (False, self.kind.sort_key(value))

    def errors(self, error: ValueError) -> Iterator[FieldError]:
        """Yield the errors of the field that a `ValueError` gives the reason of."""
        if isinstance(error, InvalidItems):
            for index, detail in error.errors.items():
                yield FieldError(f"{self.name}/{index}", detail)
        else:
            yield FieldError(self.name, str(error))

    def to_json(self, value: Any) -> object:
        """Return the JSON value of a value."""
        return None if value is None else self.kind.to_json(value)

    def load(self, stored: Mapping[str, object]) -> Any:
        """Return the value in a stored entity; one of an older form has the default."""
        if self.name in stored:
            return self.from_json(stored[self.name])
        if self.since == 1:
            raise ValueError("is missing")
        return self.default


def field(
    kind: Kind,
    doc: str,
    *,
    example: Any,
    default: Any = MISSING,
    sortable: bool = False,
    since: int = 1,
) -> Any:
    """Describe a field of an entity; see `Field`. It is nullable if its annotation is.

    A field that is newer than form 1 needs a default, for older data.
    """
    if since > 1 and default is MISSING:
        raise TypeError("a field that older data lacks needs a default")
    described = {"kind": kind, "doc": doc, "example": example, "sortable": sortable, "since": since}
    return dataclasses.field(default=default, metadata=described)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def with_fields(cls: type[_T]) -> type[_T]:
    """Return `cls` as a frozen dataclass of the fields that it describes with `field`."""
    if reserved := RESERVED_NAMES & vars(cls).get("__annotations__", {}).keys():
        raise TypeError(f"reserved names: {', '.join(reserved)}")
    described: Any = dataclass(frozen=True, kw_only=True, init=False)(cls)
    described.__init__ = _init(fields_of(described))
    return cast("type[_T]", described)


def _init(fields: Mapping[str, "Field"]) -> Callable[..., None]:
    """Return `__init__`, which sets the fields in the order of the JSON.

    It is generated, as that of a dataclass is, which sets inherited fields first.
    """
    parameters = (
        name if one.is_required else f"{name}=fields[{name!r}].default"
        for name, one in fields.items()
    )
    values = ", ".join(f"{name!r}: {name}" for name in fields)
    source = f"def __init__(self, *, {', '.join(parameters)}): vars(self).update({{{values}}})"
    namespace: dict[str, Any] = {"fields": fields}
    exec(source, namespace)  # noqa: S102
    init: Callable[..., None] = namespace["__init__"]
    return init


def cached(function: _F) -> _F:
    """Cache a function of a class; mypy does not take all classes for hashable."""
    return cast("_F", cache(function))


@cached
def fields_of(cls: type) -> Mapping[str, Field]:
    """Return the fields of an entity by name, in the order of its JSON.

    Those of earlier forms come first, so that a release adds members at the end.
    """
    annotations = get_type_hints(cls)
    return {
        one.name: Field(
            name=one.name,
            default=one.default,
            nullable=type(None) in get_args(annotations[one.name]),
            **one.metadata,
        )
        for one in sorted(dataclasses.fields(cls), key=lambda one: one.metadata["since"])
    }


@cached
def defaults_of(cls: type) -> Mapping[str, Any]:
    """Return the defaults of the fields that need not be given, by name."""
    return {name: one.default for name, one in fields_of(cls).items() if not one.is_required}
