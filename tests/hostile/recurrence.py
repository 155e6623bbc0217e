"""Tasks that cannot recur, and completions and queries of those that do."""

import json
from collections.abc import Iterator, Mapping

from tests.hostile.case import Case, accepted, invalid
from tests.hostile.fields import forbidden
from tests.hostile.messages import COMPLETE, LIST, OWN, complete, get, patch, post, put

from taskservice.core.zones import TimeZone

Members = Mapping[str, object]

DAY = {"due": "2026-03-29"}
TIME = {"due": "2026-03-29T09:00:00"}
IN_BERLIN = {**TIME, "time_zone": "Europe/Berlin"}
DAILY = {"recurrence": "FREQ=DAILY"}

NEVER_AGAIN = (
    *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    *("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=7"),
    *("FREQ=YEARLY;INTERVAL=999", "FREQ=MONTHLY;BYMONTH=2;BYDAY=MO;BYSETPOS=6"),
)
"""Rules of a Sunday in March."""

UNTIL_OF_ANOTHER_KIND: tuple[tuple[Members, str], ...] = (
    (DAY, "20300101T090000"),
    (DAY, "20300101T090000Z"),
    (TIME, "20300101"),
    (TIME, "20300101T090000Z"),
    (IN_BERLIN, "20300101"),
    (IN_BERLIN, "20300101T090000"),
)
WRONG: tuple[tuple[str, str, Members], ...] = (
    ("/recurrence", "without a due date", DAILY),
    ("/recurrence", "without a due date that it is to have", {**DAILY, "due": None}),
    *(("/recurrence", f"by {rule}", {**DAY, "recurrence": rule}) for rule in NEVER_AGAIN),
    *(
        (
            "/recurrence",
            f"{dates} until {until}",
            {**dates, "recurrence": f"FREQ=DAILY;UNTIL={until}"},
        )
        for dates, until in UNTIL_OF_ANOTHER_KIND
    ),
    ("/occurrence", "at no rule", {**DAY, "occurrence": "2026-03-29"}),
    ("/occurrence", "on a date, due at a time", {**TIME, **DAILY, "occurrence": "2026-03-29"}),
    ("/occurrence", "at a time, due on a date", {**DAY, **DAILY, "occurrence": TIME["due"]}),
    ("/repeats_from", "from null", {**DAY, **DAILY, "repeats_from": None}),
)
"""Where the fault is, what it is, and members of a task that is open and in no tree."""

OF_THE_SERVICE = {"series_id": "{own}", "next_id": None}


def tasks(at: str, what: str, members: Members) -> Iterator[Case]:
    """Yield the creation and both updates of a task that cannot recur so."""
    body = json.dumps({"title": "x", **members}).encode()
    requests = {"created": post(body), "updated": put(body), "patched": patch(body)}
    named = {f"a task that recurs {what}, {by}": request for by, request in requests.items()}
    yield from invalid(24, at, named)


def completed(value: bytes) -> bytes:
    """Complete the own task in a time zone."""
    return complete(b'{"completed": true, "time_zone": %s}' % value)


def recurring(members: Members) -> bytes:
    return json.dumps({"title": "x", **DAY, **DAILY, **members}).encode()


CASES = [
    *(case for wrong in WRONG for case in tasks(*wrong)),
    *invalid(
        24,
        "/recurrence",
        {
            "a task that recurs, created closed": post(recurring({"completed": True})),
            "a task that recurs, created skipped": post(recurring({"status": "cancelled"})),
            "a task that recurs, put under no task": patch(recurring({"parent_id": "{missing}"})),
        },
    ),
    *invalid(
        3,
        "/parent_id",
        {
            "a sub-task that recurs": post(recurring({"parent_id": "{own}"})),
            "a sub-task that recurs, under another user's task": post(
                recurring({"parent_id": "{foreign}"})
            ),
        },
    ),
    *(
        case
        for name, value in OF_THE_SERVICE.items()
        for case in invalid(
            4,
            f"/{name}",
            {
                f"a creation with {name}": post(recurring({name: value})),
                f"an update with {name}": put(recurring({name: value})),
                f"a patch with {name}": patch(json.dumps({name: value}).encode()),
            },
        )
    ),
    *invalid(
        24,
        "/time_zone",
        {
            f"a completion in {what}": completed(value)
            for what, value in {
                **forbidden(TimeZone()),
                "null": b"null",
                "0": b"0",
                "a list": b"[]",
                "an object": b"{}",
            }.items()
        },
    ),
    *invalid(
        23,
        "/completed",
        {"a completion that says only where": complete(b'{"time_zone": "Europe/Berlin"}')},
    ),
    *invalid(
        23,
        ("/completed", "/time_zone"),
        {"a completion of nothing nowhere": complete(b'{"completed": 1, "time_zone": ""}')},
    ),
    *invalid(
        23,
        "?time_zone",
        {"a time zone in the query": complete(target=f"{OWN}{COMPLETE}?time_zone=UTC")},
    ),
    *accepted(
        24,
        201,
        {
            "a task that recurs": post(recurring({})),
            "a task that recurs in a time zone": post(
                recurring({**IN_BERLIN, "recurrence": "FREQ=DAILY;UNTIL=20300101T080000Z"})
            ),
            "a task that recurs until before it is due": post(
                recurring({"recurrence": "FREQ=DAILY;UNTIL=19700101"})
            ),
            "a task that recurs once": post(recurring({"recurrence": "FREQ=DAILY;COUNT=1"})),
            "a task that recurs on the last day of all": post(
                recurring({"due": "9998-12-31", "recurrence": "FREQ=DAILY;COUNT=999"})
            ),
        },
    ),
    *accepted(
        24,
        200,
        {
            "a task that begins to recur": patch(recurring({})),
            "a task that begins to recur as it is closed": patch(recurring({"completed": True})),
            "a task that begins to recur as it is closed on the last day": patch(
                recurring(
                    {"due": "9998-12-31", "recurrence": "FREQ=DAILY;COUNT=2", "completed": True}
                )
            ),
            "a completion of what does not recur": completed(b'"America/Los_Angeles"'),
            "an undone completion with a time zone": complete(
                b'{"completed": false, "time_zone": "UTC"}'
            ),
        },
    ),
    *accepted(
        3,
        200,
        {
            f"the series with the id {series}": get(f"{LIST}?series_id={series}&sort=-created_at")
            for series in ("{own}", "{OWN}", "{foreign}", "{missing}", "{own list}")
        },
    ),
]
