"""Times as other programs write them (RFC 3339), tried on what takes a time."""

from tests.field_reports.report import Report

TAKEN: list[Report[str, str]] = [
    Report(
        "nakadi#185",
        "nine digits, as Go and Java's OffsetDateTime.now() write them",
        "2026-02-09T10:00:00.123456789Z",
        "2026-02-09T10:00:00.123456+00:00",
    ),
    Report(
        "nakadi#185",
        "seven digits, as .NET writes them",
        "2026-02-09T10:00:00.1234567Z",
        "2026-02-09T10:00:00.123456+00:00",
    ),
    Report(
        "cti-stix2-json-schemas#62",
        "fewer digits than microseconds",
        "2026-02-09T10:00:00.5Z",
        "2026-02-09T10:00:00.500000+00:00",
    ),
    Report(
        "cti-stix2-json-schemas#62",
        "a fraction that is cut, not rounded",
        "2026-12-31T23:59:59.9999999Z",
        "2026-12-31T23:59:59.999999+00:00",
    ),
    Report(
        "cti-stix2-json-schemas#62",
        "a thousand digits",
        f"2026-02-09T10:00:00.{'9' * 1000}Z",
        "2026-02-09T10:00:00.999999+00:00",
    ),
    Report(
        "OpenAPI-Specification#2701",
        "letters in lower case",
        "2026-02-09t10:00:00z",
        "2026-02-09T10:00:00+00:00",
    ),
    Report(
        "OpenAPI-Specification#2701",
        "an offset",
        "2026-02-09T15:45:00.25+05:45",
        "2026-02-09T10:00:00.250000+00:00",
    ),
    Report(
        "OpenAPI-Specification#2701",
        "an offset that is not known",
        "2026-02-09T10:00:00-00:00",
        "2026-02-09T10:00:00+00:00",
    ),
    Report(
        "OpenAPI-Specification#2701",
        "a leap second",
        "2016-12-31T23:59:60Z",
        "2017-01-01T00:00:00+00:00",
    ),
    Report(
        "OpenAPI-Specification#2701",
        "a leap second in another offset (RFC 3339, section 5.8)",
        "1990-12-31T15:59:60-08:00",
        "1991-01-01T00:00:00+00:00",
    ),
    Report(
        "OpenAPI-Specification#2701",
        "a leap second's fraction, which is past in the next minute",
        "2016-12-31T23:59:60.75Z",
        "2017-01-01T00:00:00+00:00",
    ),
]
"""A time, and the moment that it means, in UTC to the microsecond."""

YEAR = "the year, in UTC, must be from 1970 to 9998"
MONTH = "the month must be from 01 to 12"
DAY = "the month does not have this day"
HOUR = "the hour must be from 00 to 23"
MINUTE = "the minute must be from 00 to 59"
SECOND = "the second must be from 00 to 59"
LEAP = "the second 60 is allowed only as 23:59:60 in UTC"
BETWEEN = "the date and the time must be separated by T"
OFFSET = "the seconds must be followed by Z or an offset such as +01:00"
END = "nothing must follow the offset"

OF_FORM: list[Report[str, str]] = [
    Report("nakadi#185", "nothing", "", "the year must have four digits"),
    Report("nakadi#185", "a year of five digits", "10000-01-01T00:00:00Z", "the year must have"),
    Report("nakadi#185", "the month 13", "2026-13-01T10:00:00Z", MONTH),
    Report("nakadi#185", "the day 32", "2026-01-32T10:00:00Z", "the day must be from 01 to 31"),
    Report("nakadi#185", "a space for the T", "2026-02-09 10:00:00Z", BETWEEN),
    Report("nakadi#185", "a date", "2026-02-09", BETWEEN),
    Report("nakadi#185", "the hour 24", "2026-02-09T24:00:00Z", HOUR),
    Report("nakadi#185", "the minute 60", "2026-02-09T10:60:00Z", MINUTE),
    Report("nakadi#185", "the second 61", "2026-02-09T10:00:61Z", SECOND),
    Report("nakadi#185", "no offset", "2026-02-09T10:00:00", OFFSET),
    Report("nakadi#185", "an offset of hours alone", "2026-02-09T10:00:00+01", OFFSET),
    Report("nakadi#185", "a + that an address made a space", "2026-02-09T10:00:00 01:00", OFFSET),
    Report("nakadi#185", "a point without digits", "2026-02-09T10:00:00.Z", OFFSET),
    Report("nakadi#185", "a comma for the point", "2026-02-09T10:00:00,5Z", OFFSET),
    Report("nakadi#185", "a zone behind the offset", "2026-02-09T10:00:00Z[UTC]", END),
]
"""What is no time by its form, and the part that the answer says is wrong."""

OF_VALUE: list[Report[str, str]] = [
    Report("nakadi#185", "the 30th of February", "2026-02-30T10:00:00Z", DAY),
    Report("nakadi#185", "1970 that is 1969 in UTC", "1970-01-01T00:30:00+01:00", YEAR),
    Report("nakadi#185", "9998 that is 9999 in UTC", "9998-12-31T23:59:59-00:01", YEAR),
    Report("nakadi#185", "a leap second at the end of 9998", "9998-12-31T23:59:60Z", YEAR),
    Report("OpenAPI-Specification#2701", "60 at 10:00 in UTC", "2026-02-09T10:00:60Z", LEAP),
    Report("OpenAPI-Specification#2701", "60 at 22:59 in UTC", "2016-12-31T23:59:60+01:00", LEAP),
]
"""What has the form of a time and is none, which no pattern can tell."""

IMPORTED: list[Report[str, str]] = [
    Report("nakadi#185", "nine digits, the last of them 0", "2026-02-09T10:00:00.123456000Z", ""),
    Report("nakadi#185", "letters in lower case", "2026-02-09t10:00:00.123456z", ""),
    Report("nakadi#185", "an offset", "2026-02-09T11:00:00.123456+01:00", ""),
    Report(
        "nakadi#185",
        "digits that would be lost",
        "2026-02-09T10:00:00.123456789Z",
        "digits beyond microseconds must be 0",
    ),
    Report("nakadi#185", "no offset", "2026-02-09T10:00:00.123456", OFFSET),
]
"""2026-02-09T10:00:00.123456Z in a line of an import, and why it is refused, if it is."""
