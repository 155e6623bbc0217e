"""Strict fields: reject values of another type instead of converting them."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, missing

from taskservice.core.kinds import InvalidItems, Kind
from taskservice.core.timestamps import TIMESTAMP_PATTERN, parse_timestamp

_is_integer = re.compile(r"-?[0-9]{1,10}").fullmatch

_MESSAGES: dict[str, Any] = {"required": "is required", "null": "must not be null"}


class StrictSchema(Schema):
    """A schema that rejects unknown fields, and names them.

    `json_schema` has keywords of the whole object in the OpenAPI document.
    """

    json_schema: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012
        "unknown": "is not a field that can be set",
        "type": "must be a JSON object",
    }


class ResponseSchema(Schema):
    """The schema of a response. Clients must expect additional members."""

    class Meta:
        """Sets `additionalProperties: true` (JSON Schema, section 10.3.2.3)."""

        unknown = INCLUDE


class KindField(fields.Field[Any]):
    """A JSON value of a kind of fields, which determines its form and its limits."""

    default_error_messages = _MESSAGES

    def __init__(
        self, kind: Kind, doc: str, *, schema: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        metadata = {**(schema or kind.json_schema()), "description": doc}
        super().__init__(metadata=metadata, **kwargs)
        self.kind = kind

    def _serialize(self, value: Any, *_: Any, **__: Any) -> object:
        return None if value is None else self.kind.to_json(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return self.kind.parse(value)
        except InvalidItems as error:
            details = {index: [detail] for index, detail in error.errors.items()}
            raise ValidationError(details) from None
        except ValueError as error:
            raise ValidationError(str(error)) from None


class ObjectList(fields.List[Any]):
    """An array of `minimum` to `maximum` objects, each of a schema."""

    default_error_messages = _MESSAGES

    def __init__(
        self, schema: type[Schema], minimum: int, maximum: int, doc: str, **kwargs: Any
    ) -> None:
        metadata = {"minItems": minimum, "maxItems": maximum, "description": doc}
        super().__init__(
            fields.Nested(schema, error_messages=_MESSAGES), metadata=metadata, **kwargs
        )
        self._sizes = range(minimum, maximum + 1)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError("must be an array")
        if len(value) not in self._sizes:
            raise ValidationError(f"must have {self._sizes[0]} to {self._sizes[-1]} items")
        return super()._deserialize(value, *args, **kwargs)


class UncheckedObject(fields.Nested):
    """An object that has the form of a schema in the document, and is not checked here."""

    default_error_messages = _MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be a JSON object")
        return value


class EmptyAsMissing(fields.Field[Any]):
    """A query parameter that counts as missing if it is empty, as in an empty form field."""

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the value, or `missing` if it is empty."""
        return super().deserialize(missing if value == "" else value, *args, **kwargs)


class BooleanParameter(EmptyAsMissing, fields.Boolean):
    """A query parameter that is `true` or `false`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if single_value(value) not in {"true", "false"}:
            raise ValidationError("must be true or false")
        return bool(value == "true")


class IntegerParameter(fields.Integer):
    """A query parameter that is an integer within bounds, in ASCII digits only."""

    def __init__(self, minimum: int, maximum: int, **kwargs: Any) -> None:
        metadata = {"minimum": minimum, "maximum": maximum, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self._range = range(minimum, maximum + 1)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        digits = single_value(value)
        if not _is_integer(digits) or int(digits) not in self._range:
            raise ValidationError(f"must be from {self._range[0]} to {self._range[-1]}")
        return int(digits)


class StringParameter(EmptyAsMissing, fields.String):
    """A query parameter that is a string. `check` raises `ValueError` if it is not valid."""

    def __init__(self, check: Callable[[str], None] = lambda _: None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = single_value(value)
        try:
            self._check(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return text


class DateTimeParameter(fields.DateTime):
    """A query parameter that is an RFC 3339 timestamp with an offset, from 1970 to 9998."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": TIMESTAMP_PATTERN, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        text = single_value(value)
        try:
            return parse_timestamp(text)
        except ValueError as error:
            hint = "; write + as %2B in an address" if " " in text else ""
            raise ValidationError(f"{error}{hint}") from None


class KindParameter(fields.Field[Any]):
    """A query parameter of a kind of fields."""

    def __init__(self, kind: Kind, **kwargs: Any) -> None:
        metadata = {**kind.json_schema(), **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self._kind = kind

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return self._kind.parse(self._json_value(single_value(value)))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def _json_value(self, value: str) -> object:
        return value


class ListParameter(KindParameter):
    """A query parameter that is a list, with commas between the items."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            raise ValidationError("must be given only once, with commas between the items")
        return super()._deserialize(value, *args, **kwargs)

    def _json_value(self, value: str) -> object:
        return value.split(",")


class EnumParameter(fields.String):
    """A query parameter with a fixed set of words, each mapped to a value."""

    def __init__(self, choices: Mapping[str, Any], **kwargs: Any) -> None:
        metadata = {"enum": list(choices), **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self._choices = choices

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if single_value(value) not in self._choices:
            raise ValidationError(f"must be one of {', '.join(self._choices)}")
        return self._choices[value]


def single_value(value: Any) -> str:
    """Return the value of a query parameter. Raise `ValidationError` if it is repeated."""
    if not isinstance(value, str):
        raise ValidationError("must be given only once")
    return value
