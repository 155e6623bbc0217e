"""Validation of single values: owner names, lines and texts."""

import re
from collections.abc import Callable

OWNER_LIMIT = 128
"""The maximum length of an owner name, in characters."""

OWNER_PATTERN = rf"[A-Za-z0-9._:@|~+=-]{{1,{OWNER_LIMIT}}}"
"""The pattern of an owner name for the OpenAPI document; `.` and `..` are not allowed."""

_CONTROL_IN_LINE = r"\x00-\x1f"
_CONTROL_IN_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f"


# The whitespace of Unicode: `\s` differs between dialects of regular expressions.
_WHITE_SPACE = r" \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

LINE_PATTERN = rf"^[^{_CONTROL_IN_LINE}]*[^{_WHITE_SPACE}{_CONTROL_IN_LINE}][^{_CONTROL_IN_LINE}]*$"
"""The pattern of a line that is not blank, for the OpenAPI document."""

_BREAKS = r"\x7f-\x9f\u2028\u2029"
_NOT_IN_LABEL = f",{_CONTROL_IN_LINE}{_BREAKS}"

LABEL_PATTERN = (
    rf"^[^{_WHITE_SPACE}{_NOT_IN_LABEL}](?:[^{_NOT_IN_LABEL}]*[^{_WHITE_SPACE}{_NOT_IN_LABEL}])?$"
)
"""The pattern of a label, for the OpenAPI document."""

TEXT_PATTERN = rf"^[^{_CONTROL_IN_TEXT}]*$"
"""The pattern of text with line breaks, for the OpenAPI document."""

_is_owner = re.compile(OWNER_PATTERN).fullmatch
_control_in_line = re.compile(f"[{_CONTROL_IN_LINE}]").search
_control_in_text = re.compile(f"[{_CONTROL_IN_TEXT}]").search
_break = re.compile(f"[{_BREAKS}]").search
_visible = re.compile(f"[^{_WHITE_SPACE}]").search
_surrogate = re.compile("[\ud800-\udfff]").search


def is_owner(value: str) -> bool:
    """Return whether `value` is a valid owner name: 1 to 128 of `A-Z a-z 0-9 . _ : @ | ~ + = -`."""
    return _is_owner(value) is not None and value not in {".", ".."}


def check_line(text: str, limit: int) -> None:
    """Raise `ValueError` unless `text` is one line of 1 to `limit` code points and not blank."""
    _check_text(text, limit, _control_in_line)
    if not _visible(text):
        raise ValueError("must not be blank")


def check_label(text: str, limit: int) -> None:
    """Raise `ValueError` unless `text` is a label of 1 to `limit` code points.

    A label is a line without a comma, with no white space at either end, and without any
    control character or line separator of Unicode.
    """
    check_line(text, limit)
    if _break(text):
        raise ValueError("must not contain control characters or line separators")
    if "," in text:
        raise ValueError("must not contain a comma")
    if not (_visible(text[0]) and _visible(text[-1])):
        raise ValueError("must not begin or end with white space")


def check_text(text: str, limit: int) -> None:
    """Raise `ValueError` unless `text` is text of up to `limit` code points."""
    _check_text(text, limit, _control_in_text)


def _check_text(text: str, limit: int, control: Callable[[str], object]) -> None:
    if len(text) > limit:
        raise ValueError(f"must be at most {limit:,} characters")
    if control(text):
        raise ValueError("must not contain control characters")
    if _surrogate(text):
        raise ValueError("must be Unicode text, without lone surrogates")
