"""Strict fields: a value of another type is refused, never turned into one that fits."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, missing

from taskservice.core.timestamps import TIMESTAMP_PATTERN, parse_timestamp

_is_whole_number = re.compile(r"[0-9]{1,9}").fullmatch

_MESSAGES: dict[str, Any] = {"required": "is required", "null": "must not be null"}


class StrictSchema(Schema):
    """A schema that refuses, by name, whatever it does not know."""

    class Meta:
        """An unknown field is a fault."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012
        "unknown": "is not a field that can be set",
        "type": "must be a JSON object",
    }


class AnswerSchema(Schema):
    """The shape of an answer, to which members may be added: its schema says so to clients."""

    class Meta:
        """A member that is not named is allowed (`additionalProperties`, JSON Schema 10.3.2.3)."""

        unknown = INCLUDE


class Text(fields.String):
    """A JSON string that keeps a rule of the core: `check` raises `ValueError` with the reason."""

    default_error_messages = _MESSAGES

    def __init__(self, check: Callable[[str], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        try:
            self._check(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return value


class Flag(fields.Boolean):
    """JSON's true or false, and nothing that resembles them."""

    default_error_messages = _MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class MayBeEmpty(fields.Field[Any]):
    """A query parameter that counts as absent where it is empty, as in a form not filled in."""

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the value, `missing` where it is empty."""
        return super().deserialize(missing if value == "" else value, *args, **kwargs)


class BooleanParameter(MayBeEmpty, fields.Boolean):
    """A query parameter that says `true` or `false`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if once(value) not in {"true", "false"}:
            raise ValidationError("must be true or false")
        return bool(value == "true")


class NumberParameter(fields.Integer):
    """A query parameter that is a whole number within bounds, in ASCII digits and nothing else."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        metadata = {"minimum": least, "maximum": most, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self._range = range(least, most + 1)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        digits = once(value)
        if not _is_whole_number(digits) or int(digits) not in self._range:
            raise ValidationError(f"must be from {self._range[0]} to {self._range[-1]}")
        return int(digits)


class TextParameter(MayBeEmpty, Text):
    """A query parameter that is text, and keeps a rule of the core."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return super()._deserialize(once(value))


class DateTimeParameter(fields.DateTime):
    """A query parameter that is a moment: RFC 3339 with an offset, in the years 1970 to 9998."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": TIMESTAMP_PATTERN, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        text = once(value)
        try:
            return parse_timestamp(text)
        except ValueError as error:
            hint = "; write + as %2B in an address" if " " in text else ""
            raise ValidationError(f"{error}{hint}") from None


class ChoiceParameter(fields.String):
    """A query parameter that is one of a few words, and stands for a value."""

    def __init__(self, choices: Mapping[str, Any], **kwargs: Any) -> None:
        metadata = {"enum": list(choices), **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self._choices = choices

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if once(value) not in self._choices:
            raise ValidationError(f"must be one of {', '.join(self._choices)}")
        return self._choices[value]


def once(value: Any) -> str:
    """Return the value of a query parameter, or raise where it was given more than once."""
    if not isinstance(value, str):
        raise ValidationError("must be given only once")
    return value
