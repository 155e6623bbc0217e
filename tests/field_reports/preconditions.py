"""Preconditions where nobody expects them (RFC 9110, section 13), tried on every operation."""

from typing import NamedTuple

from tests.field_reports.report import Report

TASK, COMPLETE, LIST = "/{id}", "/{id}/complete", ""

XANDIKOS, ODATA = "xandikos#23", "go-odata#821"


class Asked(NamedTuple):
    """A request on a task that is at version 4, or on the list that holds it."""

    method: str
    path: str
    headers: dict[str, str]


def if_match(method: str, path: str, tags: str) -> Asked:
    return Asked(method, path, {"If-Match": tags})


def if_none_match(method: str, path: str, tags: str) -> Asked:
    return Asked(method, path, {"If-None-Match": tags})


WRITES = [("PUT", TASK, 200), ("PATCH", TASK, 200), ("PATCH", COMPLETE, 200), ("DELETE", TASK, 204)]
READS = ["GET", "HEAD"]
BY_DATE = {
    "If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT",
    "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT",
}

REPORTS: list[Report[Asked, int]] = [
    *(
        report
        for method, path, done in WRITES
        for report in (
            Report(XANDIKOS, "only where there is none", if_none_match(method, path, "*"), 412),
            Report(ODATA, "not at this version", if_none_match(method, path, '"4"'), 412),
            Report(
                ODATA, "not at this version, weakly", if_none_match(method, path, 'W/"4", "x"'), 412
            ),
            Report(ODATA, "not at another version", if_none_match(method, path, '"3"'), done),
            Report(
                ODATA,
                "at this version, and not at it",
                Asked(method, path, {"If-Match": '"4"', "If-None-Match": '"4"'}),
                412,
            ),
            Report(
                ODATA,
                "at this version, and not at another",
                Asked(method, path, {"If-Match": '"4"', "If-None-Match": '"3"'}),
                done,
            ),
            Report(ODATA, "no condition", if_none_match(method, path, "4"), 400),
            Report(ODATA, "by date", Asked(method, path, BY_DATE), done),
        )
    ),
    *(
        report
        for method in READS
        for report in (
            Report(ODATA, "at another version", if_match(method, TASK, '"99"'), 412),
            Report(ODATA, "at this version, weakly", if_match(method, TASK, 'W/"4"'), 412),
            Report(ODATA, "at this version", if_match(method, TASK, '"4"'), 200),
            Report(ODATA, "at any version", if_match(method, TASK, "*"), 200),
            Report(
                ODATA,
                "at another version, but this one (section 13.2.2)",
                Asked(method, TASK, {"If-Match": '"99"', "If-None-Match": '"4"'}),
                412,
            ),
            Report(
                ODATA,
                "at this version, but this one",
                Asked(method, TASK, {"If-Match": '"4"', "If-None-Match": '"4"'}),
                304,
            ),
            Report(ODATA, "no condition", if_match(method, TASK, "4"), 400),
            Report(ODATA, "by date", Asked(method, TASK, BY_DATE), 200),
            Report(XANDIKOS, "a list where there is none", if_none_match(method, LIST, "*"), 304),
            Report(ODATA, "a list but for a tag", if_none_match(method, LIST, '"4"'), 200),
            Report(ODATA, "any list", if_match(method, LIST, "*"), 200),
            Report(ODATA, "a list with a tag", if_match(method, LIST, '"4"'), 412),
            Report(ODATA, "a list, no condition", if_match(method, LIST, "4"), 400),
            Report(ODATA, "a list by date", Asked(method, LIST, BY_DATE), 200),
        )
    ),
    Report(XANDIKOS, "created where no list is", if_none_match("POST", LIST, "*"), 412),
    Report(ODATA, "created but for a tag", if_none_match("POST", LIST, '"4"'), 201),
    Report(ODATA, "created in any list", if_match("POST", LIST, "*"), 201),
    Report(ODATA, "created in a list with a tag", if_match("POST", LIST, '"4"'), 412),
    Report(ODATA, "created, no condition", if_none_match("POST", LIST, "x"), 400),
    Report(ODATA, "created by date", Asked("POST", LIST, BY_DATE), 201),
    # Section 13.2.1: a method that selects no representation has no preconditions.
    Report(ODATA, "options", Asked("OPTIONS", TASK, {"If-Match": '"99"'}), 204),
    Report(ODATA, "options, no condition", Asked("OPTIONS", LIST, {"If-None-Match": "x"}), 204),
]
"""A request, and the status that it is answered with."""
