"""JSON as this service takes it: RFC 8259, and stricter where readers are known to differ."""

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
    """The bytes are not JSON. The message is a clause that says why, and holds none of them."""


def loads(data: bytes) -> Any:
    """Return the value that `data` holds: None, bool, int, float, str, list or dict.

    Takes the JSON of RFC 8259 in UTF-8. Of what that leaves to the reader,
    this refuses: a byte order mark (section 8.1), equal names in an object
    (section 4), integers of over 19 digits, numbers beyond a double (section
    6) and nesting deeper than 32 (section 9). Raises `MalformedJson`. Lone
    surrogates and NUL, where escaped, are JSON: refuse them as values.
    """
    text = _decoded(data)
    _check_nesting(text)
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"it goes wrong or breaks off at {where}") from None


def _decoded(data: bytes) -> str:
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
    # Before decoding, because the decoder recurses; and hardly any text has brackets enough.
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
        raise MalformedJson("a name is repeated in an object")
    return value


def _integer(literal: str) -> int:
    if len(literal.removeprefix("-")) > DIGITS_LIMIT:
        raise MalformedJson(f"an integer has over {DIGITS_LIMIT} digits")
    return int(literal)


def _real(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise MalformedJson("a number is beyond the range of a double")
    return value


def _constant(_name: str) -> NoReturn:
    raise MalformedJson("it holds NaN or Infinity")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
