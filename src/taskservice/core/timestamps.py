"""Timestamps: parses the dates and times of RFC 3339."""

import re
from datetime import UTC, datetime, timedelta

YEARS = range(1970, 9999)
"""The years, in UTC, that a timestamp may have."""

_PARTS = {
    "the year must have four digits": r"[0-9]{4}-",
    "the month must be from 01 to 12": r"(?:0[1-9]|1[0-2])-",
    "the day must be from 01 to 31": r"(?:0[1-9]|[12][0-9]|3[01])",
    "the date and the time must be separated by T": r"[Tt]",
    "the hour must be from 00 to 23": r"(?:[01][0-9]|2[0-3]):",
    "the minute must be from 00 to 59": r"[0-5][0-9]:",
    "the second must be from 00 to 59": r"(?:[0-5][0-9]|60)",
    "the seconds must be followed by Z or an offset such as +01:00": (
        r"(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    ),
}
"""The grammar (RFC 3339, section 5.6): the error message and the pattern of each part."""

_YEAR = f"the year, in UTC, must be from {YEARS[0]} to {YEARS[-1]}"
YEARS_PATTERN = "(?:19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-"
"""The pattern of such a year and the hyphen behind it."""

TIMESTAMP_PATTERN = "^" + "".join([YEARS_PATTERN, *list(_PARTS.values())[1:]]) + "$"
"""The pattern for the OpenAPI document; it does not check that the month has such a day."""

_is_timestamp = re.compile("".join(_PARTS.values())).fullmatch
_loses_digits = re.compile(r".{19}\.[0-9]{6}[0-9]*[1-9]").match


def parse_timestamp(text: str, *, exact: bool = False) -> datetime:
    """Return the timestamp `text` as a datetime: aware, in UTC, in the years 1970 to 9998.

    A second may have any number of digits, and letters any case (RFC 3339,
    section 5.6). Digits beyond microseconds are cut off, or must be 0 if
    `exact`. The leap second 23:59:60 in UTC (section 5.7) is read as the first
    moment of the next minute. Raises `ValueError` with the part that is wrong.
    """
    try:
        if not _is_timestamp(text):
            raise ValueError(_first_error(text))
        if exact and _loses_digits(text):
            raise ValueError("digits beyond microseconds must be 0")
        return _parse(text)
    except ValueError as error:
        raise ValueError(
            f"must be an RFC 3339 time such as 2026-02-09T10:00:00Z: {error}"
        ) from None


def _first_error(text: str) -> str:
    """Return the error message for the first part of `text` that breaks the grammar."""
    pattern = ""
    for error, part in _PARTS.items():
        pattern += part
        if not re.match(pattern, text):
            return error
    return "nothing must follow the offset"


def _parse(text: str) -> datetime:
    is_leap = text[17:19] == "60"
    written = f"{text[:17]}59{text[19:]}" if is_leap else text
    try:
        value = _from_iso(written.upper()).astimezone(UTC)
        value = _after_leap_second(value) if is_leap else value
    except OverflowError:
        raise ValueError(_YEAR) from None
    if value.year not in YEARS:
        raise ValueError(_YEAR)
    return value


def _from_iso(text: str) -> datetime:
    if text.startswith("0000"):
        raise ValueError(_YEAR)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("the month does not have this day") from None


def _after_leap_second(value: datetime) -> datetime:
    """Return the first moment after the leap second that follows the second of `value`."""
    if (value.hour, value.minute) != (23, 59):
        raise ValueError("the second 60 is allowed only as 23:59:60 in UTC")
    return value.replace(microsecond=0) + timedelta(seconds=1)
