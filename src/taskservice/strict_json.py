"""Strict JSON parser: RFC 8259, without constructs that parsers interpret differently."""

import json
import math
import re
from typing import Any, NoReturn

DIGITS_LIMIT = 19
NESTING_LIMIT = 32

_BYTE_ORDER_MARK = "\ufeff"
_strings = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_brackets = re.compile(r"[][{}]")


class MalformedJson(ValueError):
    """The bytes are not accepted as JSON. The message has the reason, and none of the bytes."""


def loads(data: bytes) -> Any:
    """Return the value of `data`: None, bool, int, float, str, list or dict.

    Accepts JSON in UTF-8 (RFC 8259). Rejects what the RFC leaves to the parser: a
    byte order mark (section 8.1), duplicate names in an object (section 4), integers
    of over 19 digits, numbers out of the range of a double (section 6), and nesting
    deeper than 32 (section 9). Raises `MalformedJson`. Accepts escaped lone surrogates
    and NUL, so the caller must validate strings.
    """
    text = _decode(data)
    _check_nesting(text)
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"syntax error or unexpected end at {position}") from None


def _decode(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise MalformedJson("it is not UTF-8") from None
    if text.startswith(_BYTE_ORDER_MARK):
        raise MalformedJson("it begins with a byte order mark")
    if not text.strip(" \t\n\r"):
        raise MalformedJson("it is empty")
    return text


def _check_nesting(text: str) -> None:
    # Checked before decoding, as the decoder recurses. Most texts have too few brackets.
    if text.count("[") + text.count("{") <= NESTING_LIMIT:
        return
    depth = 0
    for bracket in _brackets.findall(_strings.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > NESTING_LIMIT:
            raise MalformedJson(f"it is nested deeper than {NESTING_LIMIT}")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise MalformedJson("an object has a duplicate name")
    return value


def _integer(literal: str) -> int:
    if len(literal.removeprefix("-")) > DIGITS_LIMIT:
        raise MalformedJson(f"an integer has over {DIGITS_LIMIT} digits")
    return int(literal)


def _real(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise MalformedJson("a number is out of the range of a double")
    return value


def _constant(_name: str) -> NoReturn:
    raise MalformedJson("it contains NaN or Infinity")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
