"""Timestamps: a date and time of RFC 3339, read as a moment in UTC."""

import re
from datetime import UTC, datetime, timedelta

YEARS = range(1970, 9999)
"""The years, in UTC, that a moment may lie in."""

_PARTS = {
    "the year must have four digits": r"[0-9]{4}-",
    "the month must be from 01 to 12": r"(?:0[1-9]|1[0-2])-",
    "the day must be from 01 to 31": r"(?:0[1-9]|[12][0-9]|3[01])",
    "T must stand between date and time": r"[Tt]",
    "the hour must be from 00 to 23": r"(?:[01][0-9]|2[0-3]):",
    "the minute must be from 00 to 59": r"[0-5][0-9]:",
    "the second must be from 00 to 59": r"(?:[0-5][0-9]|60)",
    "the seconds must be followed by Z or an offset such as +01:00": (
        r"(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    ),
}
"""The grammar (RFC 3339, section 5.6), part by part, and what is said where one is missing."""

_YEAR = f"the year, in UTC, must be from {YEARS[0]} to {YEARS[-1]}"
_YEARS_PATTERN = "(?:19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-"

TIMESTAMP_PATTERN = "^" + "".join([_YEARS_PATTERN, *list(_PARTS.values())[1:]]) + "$"
"""A timestamp, for a document to say; no pattern can tell a day that its month does not have."""

_is_timestamp = re.compile("".join(_PARTS.values())).fullmatch
_loses_digits = re.compile(r".{19}\.[0-9]{6}[0-9]*[1-9]").match


def parse_timestamp(text: str, *, exact: bool = False) -> datetime:
    """Return the moment that `text` means: aware, in UTC, in the years 1970 to 9998.

    A second has any number of digits, and letters are of either case (RFC
    3339, section 5.6). Digits beyond microseconds are cut; where `exact`, they
    must be 0. The second 60 is that of a leap second, 23:59:60 in UTC (section
    5.7), and means the first moment of the next minute. Raises `ValueError`,
    which says which part is wrong.
    """
    try:
        if not _is_timestamp(text):
            raise ValueError(_wrong_part(text))
        if exact and _loses_digits(text):
            raise ValueError("its digits beyond microseconds must be 0")
        return _moment(text)
    except ValueError as error:
        raise ValueError(
            f"must be an RFC 3339 time such as 2026-02-09T10:00:00Z: {error}"
        ) from None


def _wrong_part(text: str) -> str:
    """Return what is wrong with the first part of `text` that the grammar does not have."""
    form = ""
    for error, part in _PARTS.items():
        form += part
        if not re.match(form, text):
            return error
    return "nothing must follow the offset"


def _moment(text: str) -> datetime:
    is_leap = text[17:19] == "60"
    written = f"{text[:17]}59{text[19:]}" if is_leap else text
    try:
        moment = _read(written.upper()).astimezone(UTC)
        moment = _after_leap_second(moment) if is_leap else moment
    except OverflowError:
        raise ValueError(_YEAR) from None
    if moment.year not in YEARS:
        raise ValueError(_YEAR)
    return moment


def _read(written: str) -> datetime:
    if written.startswith("0000"):
        raise ValueError(_YEAR)
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError("the day must be one of its month") from None


def _after_leap_second(moment: datetime) -> datetime:
    """Return the first moment after the second 60 that follows the second of `moment`."""
    if (moment.hour, moment.minute) != (23, 59):
        raise ValueError("the second 60 must be that of 23:59:60 in UTC")
    return moment.replace(microsecond=0) + timedelta(seconds=1)
