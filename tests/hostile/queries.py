"""Query parameters that are unknown, repeated, unparsable or costly, and cursors of other lists."""

from tests.hostile.case import accepted, by_server, invalid, refused
from tests.hostile.messages import LIST, OWN, TASK, complete, delete, get, patch, post, put

MOMENTS = ("created_after", "created_before", "updated_after", "updated_before")

NO_MOMENTS = {
    "nothing": "",
    "a date": "2026-02-09",
    "a time without an offset": "2026-02-09T10:00:00",
    "a leap second that is none": "2016-12-31T23:58:60Z",
    "a leap second in another offset": "2016-12-31T23:59:60%2B01:00",
    "a leap second at the end of 9998": "9998-12-31T23:59:60Z",
    "second 61": "2026-02-09T10:00:61Z",
    "minute 60": "2026-02-09T10:60:00Z",
    "hour 24": "2026-02-09T24:00:00Z",
    "hour 25": "2026-02-09T25:00:00Z",
    "the 30th of February": "2026-02-30T10:00:00Z",
    "the 29th of February of no leap year": "2026-02-29T10:00:00Z",
    "month 13": "2026-13-01T10:00:00Z",
    "day 0": "2026-01-00T10:00:00Z",
    "the year 0": "0000-01-01T00:00:00Z",
    "the year 1": "0001-01-01T00:00:00Z",
    "the year 1 made less by its offset": "0001-01-01T00:00:00%2B23:59",
    "the last second before 1970": "1969-12-31T23:59:59.999999Z",
    "1970 made less by its offset": "1970-01-01T00:30:00%2B01:00",
    "the year 9999": "9999-01-01T00:00:00Z",
    "the last moment of 9999": "9999-12-31T23:59:59.999999Z",
    "9998 made more by its offset": "9998-12-31T23:59:59-00:01",
    "9999 made more by its offset": "9999-12-31T23:59:59-23:59",
    "the year 10000": "10000-01-01T00:00:00Z",
    "a year with a sign": "%2B2026-02-09T10:00:00Z",
    "a year before all": "-0001-01-01T00:00:00Z",
    "an offset of hours alone": "2026-02-09T10:00:00%2B01",
    "an offset without a colon": "2026-02-09T10:00:00%2B0100",
    "an offset with seconds": "2026-02-09T10:00:00%2B01:00:30",
    "an offset of 24 hours": "2026-02-09T10:00:00%2B24:00",
    "an offset of 60 minutes": "2026-02-09T10:00:00%2B01:60",
    "a plus that was not encoded": "2026-02-09T10:00:00+01:00",
    "a name of a zone": "2026-02-09T10:00:00[Europe/Berlin]",
    "a zone behind an offset": "2026-02-09T10:00:00Z[UTC]",
    "a comma for the point": "2026-02-09T10:00:00,5Z",
    "a point without digits": "2026-02-09T10:00:00.Z",
    "a space for the T": "2026-02-09%2010:00:00Z",
    "no separators": "20260209T100000Z",
    "a week": "2026-W07-1T10:00:00Z",
    "a day of the year": "2026-040T10:00:00Z",
    "seconds since 1970": "1770631200",
    "now": "now",
    "infinity": "infinity",
    "full-width digits": "%EF%BC%92026-02-09T10:00:00Z",
    "a space before": "%202026-02-09T10:00:00Z",
    "a line end behind": "2026-02-09T10:00:00Z%0A",
    "NUL behind": "2026-02-09T10:00:00Z%00",
}

EDGES = {
    "the first moment of 1970": "1970-01-01T00:00:00Z",
    "1970 in another offset": "1970-01-01T01:00:00%2B01:00",
    "1969 made more by its offset": "1969-12-31T23:30:00-00:30",
    "the last moment of 9998": "9998-12-31T23:59:59.999999Z",
    "9999 made less by its offset": "9999-01-01T00:30:00%2B01:00",
    "an offset of 23:59": "2026-02-09T10:00:00%2B23:59",
    "an unknown offset": "2026-02-09T10:00:00-00:00",
    "one digit of a second": "2026-02-09T10:00:00.1Z",
    "a leap day": "2024-02-29T23:59:59Z",
    "a leap second": "2016-12-31T23:59:60Z",
    "a leap second with a fraction": "2016-12-31T23:59:60.999Z",
    "a leap second of Pacific time": "2016-12-31T15:59:60-08:00",
    "seven digits of a second": "2026-02-09T10:00:00.1234567Z",
    "1,500 digits of a second": f"2026-02-09T10:00:00.{'9' * 1500}Z",
    "letters in lower case": "2026-02-09t10:00:00z",
}


def listed(query: str) -> bytes:
    return get(f"{LIST}?{query}")


def limited(limit: str) -> bytes:
    return listed(f"limit={limit}")


def searched(text: str) -> bytes:
    return listed(f"q={text}")


def flagged(flag: str) -> bytes:
    return listed(f"completed={flag}")


CASES = [
    *accepted(
        5,
        200,
        {
            "a search for a wildcard": searched("%25"),
            "a search for one letter, as SQL has it": searched("_"),
            "a search for a backslash": searched("%5C"),
            "a search for a backslash and a wildcard": searched("%5C%25"),
            "a search that ends in a backslash": searched("milk%5C"),
            "a search for a quote": searched("'"),
            "a search for two quotes": searched("%22'"),
            "a search for a condition of SQL": searched("'%20OR%20user_id='bob'--"),
            "a search for a union": searched("x')%20UNION%20SELECT%20*%20FROM%20tasks--"),
            "a search for a parameter of SQL": searched(":owner%20%25(owner)s%20$1%20?"),
            "a search for a pattern": searched(".*%5B%5D(%7C%7B%7D^$"),
            "a search for a user": searched("bob"),
            "a search for what folds to more": searched("%EF%AC%83%C3%9F"),
            "a search for an emoji": searched("%F0%9F%98%80"),
            "a search for a space": searched("+"),
            "a search for the replacement character": searched("%EF%BF%BD"),
            "a search for a line end": searched("a%0D%0Ab"),
            "a count of what wildcards find": get(f"{LIST}?q=%25", "Prefer: count=exact"),
            "a search by title, counted": get(f"{LIST}?q=m&sort=title", "Prefer: count=exact"),
        },
    ),
    *refused(
        6,
        400,
        "malformed-request",
        {
            "a cursor of another user": listed("cursor={cursor of bob}"),
            "a cursor of another order": listed("cursor={cursor by title}"),
            "a cursor of the other direction": listed("sort=-title&cursor={cursor by title}"),
            "a cursor of another filter": listed("completed=true&cursor={cursor}"),
            "a cursor of another search": listed("q=milk&cursor={cursor}"),
            "a cursor of another time": listed(
                "created_after=2026-01-01T00:00:00Z&cursor={cursor}"
            ),
            "a cursor of a letter": listed("cursor=x"),
            "a cursor with a letter more": listed("cursor={cursor}A"),
            "a cursor with another first letter": listed("cursor=A{cursor}"),
            "a cursor with padding": listed("cursor={cursor}=="),
            "a cursor with a space behind": listed("cursor={cursor}%20"),
            "a cursor with NUL behind": listed("cursor={cursor}%00"),
            "a cursor with a line end behind": listed("cursor={cursor}%0A"),
            "a cursor with a letter of no alphabet": listed("cursor=!{cursor}"),
            "a cursor that is no ASCII": listed("cursor=%C3%A4"),
            "a cursor of NUL": listed("cursor=" + "A" * 200),
            "a cursor of 5,000 letters": listed("cursor=" + "A" * 5000),
            "a cursor of JSON": listed("cursor=%5B%22x%22%5D"),
            "a cursor of 3,000 brackets": listed("cursor=" + "W1tb" * 1000),
            "a cursor that is an id": listed("cursor={own}"),
            "a cursor that is a number": listed("cursor=1"),
        },
    ),
    *accepted(
        6,
        200,
        {
            "a cursor of the list": listed("cursor={cursor}"),
            "a cursor of the list by title": listed("sort=title&cursor={cursor by title}"),
            "a cursor with another limit": listed("limit=1&cursor={cursor}"),
        },
    ),
    *invalid(
        23,
        "?limit",
        {
            "a limit of 0": limited("0"),
            "a limit of -1": limited("-1"),
            "a limit of 201": limited("201"),
            "a limit of 1e9": limited("1e9"),
            "a limit of a billion": limited("1000000000"),
            "a limit of 5,000 digits": limited("1" * 5000),
            "a limit of 1_0": limited("1_0"),
            "a limit with a space before": limited("%201"),
            "a limit with a space behind": limited("1%20"),
            "a limit with a plus": limited("%2B1"),
            "a limit with a plus for a space": limited("+1"),
            "a limit with a line end": limited("1%0A"),
            "a limit with NUL": limited("1%00"),
            "a limit of 1.0": limited("1.0"),
            "a limit of 0x1": limited("0x1"),
            "an empty limit": limited(""),
            "a limit without a value": listed("limit"),
            "a limit of full-width digits": limited("%EF%BC%91"),
            "a limit of Arabic digits": limited("%D9%A1"),
            "a limit of superscript digits": limited("%C2%B2"),
            "a limit of null": limited("null"),
            "a limit of NaN": limited("NaN"),
            "a limit of all": limited("all"),
            "a limit with another behind a semicolon": limited("1;limit=2"),
            "a limit twice": listed("limit=1&limit=2"),
            "a limit twice, alike": listed("limit=1&limit=1"),
            "a limit twice, once encoded": listed("limit=1&%6Cimit=1"),
            "a limit that is no UTF-8": limited("1%FF"),
        },
    ),
    *accepted(
        23,
        200,
        {
            "a limit of 1": limited("1"),
            "a limit of 200": limited("200"),
            "a limit with zeros before": limited("007"),
            "a limit whose name is encoded": listed("%6Cimit=1"),
            "no parameters": listed(""),
            "an empty search": searched(""),
            "an empty flag": flagged(""),
            "an empty cursor": listed("cursor="),
            "a search without a value": listed("q"),
            "no parameters between ampersands": listed("&&&"),
            "a flag of true": flagged("true"),
            "a flag of false": flagged("false"),
        },
    ),
    *invalid(
        23,
        "?completed",
        {
            "a parameter that is 1": flagged("1"),
            "a parameter that is on": flagged("on"),
            "a parameter that is yes": flagged("yes"),
            "a parameter that is True": flagged("True"),
            "a parameter that is TRUE": flagged("TRUE"),
            "a parameter that is null": flagged("null"),
            "a flag with a space": flagged("true%20"),
            "a flag with a quote": flagged("%22true%22"),
            "a flag twice": listed("completed=true&completed=false"),
        },
    ),
    *invalid(
        23,
        "?sort",
        {
            "a sort by id": listed("sort=id"),
            "a sort by owner": listed("sort=user_id"),
            "a sort with a plus": listed("sort=%2Btitle"),
            "a sort in another case": listed("sort=Title"),
            "a sort by two fields": listed("sort=title,created_at"),
            "a sort with two dashes": listed("sort=--title"),
            "an empty sort": listed("sort="),
            "a sort of SQL": listed("sort=title;DROP%20TABLE%20tasks"),
            "a sort with a direction": listed("sort=title%20desc"),
            "a sort twice": listed("sort=title&sort=-title"),
        },
    ),
    *invalid(
        23,
        "?q",
        {
            "a search of 256 letters": searched("x" * 256),
            "a search of 256 letters of two bytes": searched("%C3%A4" * 256),
            "a search with NUL": searched("a%00b"),
            "a search with an escape of a terminal": searched("%1B%5B31m"),
            "a search twice": listed("q=a&q=b"),
            "an empty search beside another": listed("q=&q=b"),
            "a search for a bad byte": searched("%FF"),
            "a search for overlong UTF-8": searched("%C0%80"),
            "a search for a surrogate": searched("%ED%A0%80"),
            "a search that breaks off in a letter": searched("milk%C3"),
        },
    ),
    *invalid(23, "?q[]", {"a search as a list": listed("q%5B%5D=a")}),
    *invalid(23, "?q[$ne]", {"a search as an object": listed("q%5B$ne%5D=a")}),
    *invalid(23, "?Q", {"a parameter in another case": listed("Q=a")}),
    *invalid(23, "? limit", {"a parameter with a space": listed("%20limit=1")}),
    *invalid(23, "?limit\0", {"a parameter with NUL": listed("limit%00=1")}),
    *invalid(23, "?", {"a parameter without a name": listed("=1")}),
    *invalid(
        23,
        "??",
        {
            "a parameter whose name is no UTF-8": listed("%FF=1"),
            "a parameter of a creation whose name is no UTF-8": post(target=f"{LIST}?%FF=1"),
        },
    ),
    *invalid(23, "?offset", {"an offset": listed("offset=1000000000")}),
    *invalid(23, "?page", {"a page": listed("page=2")}),
    *invalid(23, "?user_id", {"a parameter that names a user": listed("user_id=bob")}),
    *invalid(23, "?access_token", {"a second token in the query": listed("access_token={bob}")}),
    *invalid(
        23, "?_method", {"a parameter that names a method": post(target=LIST + "?_method=GET")}
    ),
    *invalid(23, "?x", {"a parameter of a task": get(f"{OWN}?x=1")}),
    *invalid(23, "?limit", {"a limit of a task": get(f"{OWN}?limit=1")}),
    *invalid(23, "?force", {"a parameter of a deletion": delete(target=f"{OWN}?force=true")}),
    *invalid(23, "?dry_run", {"a parameter of an update": put(target=f"{OWN}?dry_run=1")}),
    *invalid(23, "?title", {"a parameter of a patch": patch(TASK, target=f"{OWN}?title=y")}),
    *invalid(
        23,
        "?completed",
        {"a parameter of a completion": complete(target=f"{OWN}/complete?completed=false")},
    ),
    *invalid(
        23,
        ("?limit", "?completed", "?x"),
        {"three bad parameters": listed("limit=0&completed=1&x=1")},
    ),
    *invalid(
        23,
        tuple(f"?{n:03}" for n in range(50)),
        {"200 unknown parameters": listed("&".join(f"{n:03}=1" for n in range(200)))},
    ),
    *(
        case
        for n, (name, text) in enumerate(NO_MOMENTS.items())
        for case in invalid(
            24, f"?{MOMENTS[n % 4]}", {f"a moment of {name}": listed(f"{MOMENTS[n % 4]}={text}")}
        )
    ),
    *accepted(
        24,
        200,
        {
            f"a moment of {name}": listed("&".join(f"{moment}={text}" for moment in MOMENTS))
            for name, text in EDGES.items()
        },
    ),
    *invalid(
        24,
        tuple(f"?{moment}" for moment in MOMENTS),
        {
            "four bad moments": listed("&".join(f"{moment}=0" for moment in MOMENTS)),
            "four moments twice": listed(
                "&".join(f"{moment}=1970-01-01T00:00:00Z" for moment in MOMENTS * 2)
            ),
        },
    ),
    *accepted(
        24,
        200,
        {
            "a time that ends before it begins": listed(
                "created_after=9998-01-01T00:00:00Z&created_before=1970-01-01T00:00:00Z"
            )
        },
    ),
    *accepted(
        27,
        200,
        {
            "a search of 200 wildcards": searched("%25" * 200),
            "a search of 200 letters, as SQL has them": searched("_" * 200),
            "a search of 255 backslashes": searched("%5C" * 255),
            "a search of 100 pairs of wildcards": searched("%25_" * 100),
            "a search of 255 emoji": searched("%F0%9F%98%80" * 255),
            "a search of 255 letters that grow when folded": searched("%CE%90" * 255),
            "a search of a pattern that explodes": searched("(a%2B)%2B" * 20 + "$"),
            "a search that would forge a line of the log": searched("x%0Aforged%20line"),
            "a search of 255 combining marks": searched("%CC%81" * 255),
        },
    ),
    *by_server(27, 414, {"a search of 9,000 letters": searched("x" * 9000)}),
]
