"""Schemas of an entity, derived from its fields: responses, request bodies, the query of a list."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from taskservice.adapters.http.api import cursors
from taskservice.adapters.http.api.responses import EntitySchema, prefers_exact_count
from taskservice.adapters.http.protocol.bodies import JSON, BodySchema
from taskservice.adapters.http.protocol.request import current_request
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.adapters.http.protocol.strict_fields import (
    BooleanParameter,
    DateTimeParameter,
    EnumParameter,
    IntegerParameter,
    KindField,
    KindParameter,
    ListParameter,
    StringParameter,
)
from taskservice.core import kinds
from taskservice.core.entity import Edit, Entity
from taskservice.core.fields import Field, defaults_of, fields_of
from taskservice.core.filters import Filter, filters_of
from taskservice.core.kinds import Reference
from taskservice.core.moves import PLACES, Move
from taskservice.core.query import PAGE_DEFAULT, PAGE_LIMIT, Query, Sort, sort_fields

MERGE_PATCH = "application/merge-patch+json"

AnyField = fields.Field[Any]
S = TypeVar("S", bound=Schema)


def response_schema(
    entity_type: type[Entity], base: type[EntitySchema] = EntitySchema
) -> type[EntitySchema]:
    """Return the schema of an entity in a response, a subclass of `base`."""
    members = {
        name: KindField(
            field.kind,
            field.doc,
            schema=field.kind.response_schema(),
            required=True,
            allow_none=field.nullable,
        )
        for name, field in fields_of(entity_type).items()
    }
    return _derive(base, entity_type.__name__, members, entity_type)


def create_schema(entity_type: type[Entity]) -> type[BodySchema]:
    """Return the schema of a new entity. It loads to the class of the settable fields."""
    members = _body_fields(entity_type)
    return _derive(_CreateSchema, f"{entity_type.__name__}Create", members, entity_type)


def update_schema(entity_type: type[Entity]) -> type[BodySchema]:
    """Return the schema of an update: absent fields keep their values. It loads to an `Edit`."""
    members = _body_fields(entity_type)
    return _derive(_EditSchema, f"{entity_type.__name__}Update", members, entity_type)


def patch_schema(entity_type: type[Entity]) -> type[BodySchema]:
    """Return the schema of a JSON merge patch (RFC 7396). It loads to an `Edit`.

    Absent fields keep their values, null clears them.
    """
    members = _body_fields(entity_type, is_partial=True)
    return _derive(_PatchSchema, f"{entity_type.__name__}Patch", members, entity_type)


def move_schema(entity_type: type[Entity]) -> type[BodySchema]:
    """Return the schema of a move among siblings. It loads to a `Move`."""
    name = entity_type.type_name
    beside = Reference(name)
    members: dict[str, AnyField] = {
        "after": KindField(beside, f"The {name} to stand behind."),
        "before": KindField(beside, f"The {name} to stand before."),
        "place": KindField(kinds.Choice(PLACES), "The place to stand at."),
    }
    return _derive(_MoveSchema, f"{entity_type.__name__}Move", members, entity_type)


def query_schema(query_type: type[Query[Any]], first: Sequence[str]) -> type[ParametersSchema]:
    """Return the schema of the query of a list. It loads to a `query_type`.

    Positional clients rely on the order of the parameters: those in `first`, those of
    the page, the headers; then other filters, so that a new one is behind all others.
    """
    filters = {one.parameter: _filter_parameter(one) for one in filters_of(query_type).values()}
    members = {**_page_parameters(query_type.entity_type), **filters}
    ordered = {name: members[name] for name in dict.fromkeys([*first, *members])}
    schema = _derive(_QuerySchema, query_type.__name__, ordered, query_type)
    schema.behind_headers = [name for name in filters if name not in first]
    return schema


def page_schema(query_type: type[Query[Any]]) -> type[ParametersSchema]:
    """Return the schema of the query of a list in one order. It loads to a `query_type`."""
    return _derive(_QuerySchema, query_type.__name__, page_size_and_start(), query_type)


def _derive(
    base: type[S], name: str, members: Mapping[str, AnyField], loaded_type: type
) -> type[S]:
    attributes: Any = {**members, "loaded_type": loaded_type}
    schema: Any = base.from_dict(attributes, name=f"{name}Schema")
    derived: type[S] = schema
    return derived


def _body_fields(entity_type: type[Entity], *, is_partial: bool = False) -> dict[str, AnyField]:
    return {
        name: KindField(
            field.kind,
            field.doc,
            schema=_body_member_schema(field),
            required=field.is_required and not is_partial,
            allow_none=field.nullable,
        )
        for name, field in fields_of(entity_type.new_type).items()
    }


def _body_member_schema(field: Field) -> dict[str, Any]:
    """Return the schema of a field in a request body.

    OpenAPI Generator's Java clients start each list empty, and send it so: an update of
    another field would clear it. They leave out a list with `x-nullable`.
    """
    schema = field.kind.json_schema()
    return {**schema, "x-nullable": True} if field.kind.json_type is list else schema


class _EntityBodySchema(BodySchema):
    loaded_type: ClassVar[type[Entity]]

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, one in self.load_fields.items() if one.required)

    def load(self, data: Any, *, partial: Any = None, **kwargs: Any) -> Any:
        """Load a body. marshmallow looks at absent members only if a required one is absent."""
        is_complete = isinstance(data, dict) and self._required <= data.keys()
        return super().load(data, partial=partial or is_complete or None, **kwargs)

    @validates_schema
    def _check_rules(self, values: dict[str, Any], **_: Any) -> None:
        errors = self.loaded_type.rule_errors(self._known(values))
        if details := {one.field: [one.detail] for one in errors}:
            raise ValidationError(details)

    def _known(self, values: dict[str, Any]) -> Mapping[str, Any]:
        return values


class _CreateSchema(_EntityBodySchema):
    def _known(self, values: dict[str, Any]) -> Mapping[str, Any]:
        """Return the values that the new entity will have."""
        defaults = defaults_of(self.loaded_type.new_type)
        return {**defaults, **values, **self.loaded_type.implied(values)}

    @post_load
    def _new(self, values: dict[str, Any], **_: Any) -> Any:
        return self.loaded_type.new_type(**values)


class _EditSchema(_EntityBodySchema):
    @post_load
    def _edit(self, values: dict[str, Any], **_: Any) -> Edit:
        return Edit(values)


class _PatchSchema(_EditSchema):
    media_types = (MERGE_PATCH, JSON)


class _MoveSchema(BodySchema):
    loaded_type: ClassVar[type[Entity]]
    json_schema: ClassVar[Mapping[str, Any]] = {"minProperties": 1, "maxProperties": 1}

    @validates_schema(skip_on_field_errors=True)
    def _check_one(self, values: dict[str, Any], **_: Any) -> None:
        if len(values) != 1:
            names = ", ".join(self.fields)
            at = ([*values][1:] or [*self.fields])[0]
            raise ValidationError(f"exactly one of {names} must be given", at)

    @post_load
    def _move(self, values: dict[str, Any], **_: Any) -> Move:
        return Move(**values)


class _QuerySchema(ParametersSchema):
    loaded_type: ClassVar[Any]

    def defaults(self) -> Query[Any]:
        """Return the query of a list without parameters."""
        query: Query[Any] = self._query({})
        return query

    @post_load
    def _query(self, parameters: dict[str, Any], **_: Any) -> Query[Any]:
        cursor = parameters.pop("cursor", None)
        filters = filters_of(self.loaded_type).values()
        given = {one.name: parameters.pop(one.parameter, None) for one in filters}
        query: Query[Any] = self.loaded_type(
            **given, **parameters, with_total=prefers_exact_count()
        )
        if details := {one.field: [one.detail] for one in query.rule_errors()}:
            raise ValidationError(details)
        return query if cursor is None else cursors.decode(cursor, current_request().owner, query)


def _filter_parameter(one: Filter) -> AnyField:
    metadata = {"description": one.doc, "example": one.example}
    match one.kind:
        case kinds.Boolean():
            return BooleanParameter(metadata=metadata)
        case kinds.Timestamp():
            return DateTimeParameter(metadata=metadata)
        case kinds.Integer(minimum, maximum):
            return IntegerParameter(minimum, maximum, metadata=metadata)
        case kinds.Text():
            return StringParameter(one.kind.check, metadata={**one.kind.json_schema(), **metadata})
    if one.kind.json_type is list:
        items = _list_items(one)
        return ListParameter(one.kind, metadata={**metadata, "items": items, "minItems": 1})
    return KindParameter(one.kind, metadata=metadata)


def _list_items(one: Filter) -> dict[str, Any]:
    """Return the schema of the items of a list. Words get names, for clients' constants.

    Without them, openapi-python-client names the word `1` `VALUE_0`.
    """
    items: dict[str, Any] = one.kind.json_schema()["items"]
    if "enum" not in items:
        return items
    names = [f"{one.name}_{word}" if word.isdigit() else word for word in items["enum"]]
    return {**items, "x-enum-varnames": [name.upper().replace("-", "_") for name in names]}


def page_size_and_start() -> dict[str, AnyField]:
    """Return the parameters `limit` and `cursor`."""
    page_size = {"description": "The page size.", "default": PAGE_DEFAULT, "example": 20}
    start = {
        "description": "The start of the page, from the `Link` of the previous page. Empty counts "
        "as absent, which is the first page.",
        "pattern": cursors.PATTERN,
    }
    return {
        "limit": IntegerParameter(1, PAGE_LIMIT, metadata=page_size),
        "cursor": StringParameter(metadata=start),
    }


def _page_parameters(entity_type: type[Entity]) -> dict[str, AnyField]:
    choices = {
        "-" * descending + field: Sort(field=field, descending=descending)
        for field in sort_fields(entity_type)
        for descending in (False, True)
    }
    names = [f"{sort.field.upper()}{'_DESCENDING' * sort.descending}" for sort in choices.values()]
    order = {
        "description": "The order, with - for descending. Ties are sorted by id in the same "
        "direction, text by code point.",
        "default": "-created_at",
        "example": sort_fields(entity_type)[0],
        "x-enum-varnames": names,
    }
    page = page_size_and_start()
    return {
        "limit": page["limit"],
        "sort": EnumParameter(choices, metadata=order),
        "cursor": page["cursor"],
    }
