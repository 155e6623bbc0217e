"""Conditions, keys and preferences that are no such thing, and methods that are not there.

Conditions where nobody expects them were reported as xandikos#23 and go-odata#821.
"""

from tests.hostile.case import accepted, by_server, invalid, refused
from tests.hostile.messages import (
    COMPLETE,
    FOREIGN,
    LIST,
    MISSING,
    OWN,
    TASK,
    complete,
    delete,
    get,
    message,
    patch,
    post,
    put,
)

MALFORMED = {
    "nothing": "",
    "a number": "1",
    "a word": "x",
    "single quotes": "'1'",
    "a quote at the start": '"1',
    "a quote at the end": '1"',
    "a tag with a quote inside": '"1"1"',
    "two tags without a comma": '"1" "2"',
    "a tag with a semicolon": '"1";',
    "a tag that is not closed in a list": '"1", "2',
    "a number in a list": '"1", 2',
    "a weak number": "W/1",
    "a weak tag in lower case": 'w/"1"',
    "a weak tag with a space": 'W/ "1"',
    "a star in a list": '*, "1"',
    "two stars": "**",
    "a list of commas": ",,,",
    "a tag with a space": '"1 "',
    "a tag with a tab": '"\t1"',
}
MISMATCHED = {
    "another version": '"2"',
    "version 0": '"0"',
    "a version with a zero before": '"01"',
    "a negative version": '"-1"',
    "a weak tag": 'W/"1"',
    "another version, and a weak tag": '"2", W/"1"',
    "an empty tag": '""',
    "a word in quotes": '"x"',
    "a star in quotes": '"*"',
    "a version of 19 digits": '"9999999999999999999"',
    "a version beyond 64 bits": '"9223372036854775808"',
    "the last version of 64 bits": '"9223372036854775807"',
    "a version of 400 digits": f'"{"9" * 400}"',
    "a version in hexadecimal": '"0x1"',
    "a version as a fraction": '"1.0"',
    "a version of full-width bytes": '"\xef\xbc\x91"',
    "a version with a byte that is no ASCII": '"1\xff"',
    "a version with a backslash": '"\\1"',
    "a list of 1,000 other versions": ", ".join(f'"{n}"' for n in range(2, 1002)),
}


def keyed(key: str) -> bytes:
    """Create a task under this key."""
    return post(TASK, f"Idempotency-Key: {key}")


CASES = [
    *refused(
        6,
        404,
        "task-not-found",
        {
            "any tag for another user's task": get(FOREIGN, "If-None-Match: *"),
            "the tag of another user's task": get(FOREIGN, 'If-None-Match: "1"'),
            "an update of another user's task at its version": put(
                TASK, 'If-Match: "1"', target=FOREIGN
            ),
            "an update of another user's task at any version": put(
                TASK, "If-Match: *", target=FOREIGN
            ),
            "a deletion of another user's task at another version": delete(
                'If-Match: "9"', target=FOREIGN
            ),
            "a completion of no task at any version": complete(
                None, "If-Match: *", target=MISSING + COMPLETE
            ),
            "an update of no task but for any": put(TASK, "If-None-Match: *", target=MISSING),
            "a patch of no task at a version": patch(TASK, 'If-Match: "1"', target=MISSING),
            "a deletion of no task but for a version": delete('If-None-Match: "1"', target=MISSING),
        },
    ),
    *invalid(
        26,
        "?limit",
        {"a list of nothing but for anything": get(f"{LIST}?limit=0", "If-None-Match: *")},
    ),
    *invalid(
        26,
        "?x",
        {
            "a creation with a parameter unless there is any": post(
                TASK, "If-None-Match: *", target=f"{LIST}?x=1"
            )
        },
    ),
    *refused(
        26,
        400,
        "malformed-request",
        {
            **{
                f"an update at {name}": put(TASK, f"If-Match: {tags}")
                for name, tags in MALFORMED.items()
            },
            "a patch at a number": patch(TASK, "If-Match: 1"),
            "a completion at a number": complete(None, "If-Match: 1"),
            "a deletion at a number": delete("If-Match: 1"),
            "a deletion of no task at a number": delete("If-Match: 1", target=MISSING),
            "an update at a tag and a number": put(TASK, 'If-Match: "1"', "If-Match: 2"),
            "a read but for a number": get(OWN, "If-None-Match: 1"),
            "a read but for nothing": get(OWN, "If-None-Match:"),
            "a read but for half a tag": get(OWN, 'If-None-Match: W/"'),
            "a read but for 2,000 letters": get(OWN, "If-None-Match: " + "x" * 2000),
            "a read of no task but for a number": get(MISSING, "If-None-Match: 1"),
            "a read at a number": get(OWN, "If-Match: 1"),
            "an update but for a number": put(TASK, "If-None-Match: 1"),
            "a deletion but for a number": delete("If-None-Match: 1"),
            "a list read at a number": get(LIST, "If-Match: 1"),
            "a list read but for a number": get(LIST, "If-None-Match: 1"),
            "a creation with a condition": post(TASK, "If-Match: 1"),
            "a creation but for a number": post(TASK, "If-None-Match: 1"),
            "a look but for a number": message("HEAD", OWN, "If-None-Match: 1"),
        },
    ),
    *refused(
        26,
        412,
        "precondition-failed",
        {
            **{
                f"an update at {name}": put(TASK, f"If-Match: {tags}")
                for name, tags in MISMATCHED.items()
            },
            "a patch at another version": patch(TASK, 'If-Match: "2"'),
            "a completion at another version": complete(None, 'If-Match: "2"'),
            "a deletion at another version": delete('If-Match: "2"'),
            "a deletion at a version beyond 64 bits": delete('If-Match: "9223372036854775808"'),
            "an update of no task": put(TASK, "If-None-Match: *"),
            "an update but for its version": put(TASK, 'If-None-Match: "1"'),
            "an update but for its version, weakly": put(TASK, 'If-None-Match: W/"1"'),
            "an update but for one of 1,000 versions": put(
                TASK, "If-None-Match: " + ", ".join(f'"{n}"' for n in range(1, 1001))
            ),
            "an update at its version, and but for it": put(
                TASK, 'If-Match: "1"', 'If-None-Match: "1"'
            ),
            "a patch at its version, and but for it": patch(
                TASK, 'If-Match: "1"', 'If-None-Match: "1"'
            ),
            "a completion at its version, and but for it": complete(
                None, 'If-Match: "1"', 'If-None-Match: "1"'
            ),
            "a deletion at its version, and but for it": delete(
                'If-Match: "1"', 'If-None-Match: "1"'
            ),
            "a patch of no task": patch(TASK, "If-None-Match: *"),
            "a patch but for its version": patch(TASK, 'If-None-Match: "1"'),
            "a completion of what is not there": complete(None, "If-None-Match: *"),
            "a completion but for its version": complete(None, 'If-None-Match: "1"'),
            "a deletion of what is not there": delete("If-None-Match: *"),
            "a deletion but for its version": delete('If-None-Match: "1"'),
            "a read at another version": get(OWN, 'If-Match: "2"'),
            "a read at its version, weakly": get(OWN, 'If-Match: W/"1"'),
            "a read at another version, but for its own": get(
                OWN, 'If-Match: "2"', 'If-None-Match: "1"'
            ),
            "a look at another version": message("HEAD", OWN, 'If-Match: "2"'),
            "a list read at a tag": get(LIST, 'If-Match: "1"'),
            "a creation unless there is any": post(TASK, "If-None-Match: *"),
            "a creation at a tag": post(TASK, 'If-Match: "1"'),
        },
    ),
    *accepted(
        26,
        200,
        {
            "an update at its version": put(TASK, 'If-Match: "1"'),
            "an update at any version": put(TASK, "If-Match: *"),
            "an update at one of 1,000 versions": put(
                TASK, "If-Match: " + ", ".join(f'"{n}"' for n in range(1, 1001))
            ),
            "an update at a list of commas with its version": put(TASK, 'If-Match: ,, "1",,'),
            "an update at its version in a second header": put(
                TASK, 'If-Match: "2"', 'If-Match: "1"'
            ),
            "an update at its version beside one beyond 64 bits": put(
                TASK, 'If-Match: "9999999999999999999", "1"'
            ),
            "a read but for another version": get(OWN, 'If-None-Match: "2"'),
            "a read but for 400 digits": get(OWN, f'If-None-Match: "{"9" * 400}"'),
            "a read but for 1,000 other versions": get(
                OWN, "If-None-Match: " + ",".join(f'"{n}"' for n in range(2, 1002))
            ),
            "an update but for another version": put(TASK, 'If-None-Match: "2"'),
            "a patch but for another version": patch(TASK, 'If-None-Match: "2"'),
            "an update at its version, and but for another": put(
                TASK, 'If-Match: "1"', 'If-None-Match: "2"'
            ),
            "an update but for 400 digits": put(TASK, f'If-None-Match: "{"9" * 400}"'),
            "a completion but for another version": complete(None, 'If-None-Match: "x", "2"'),
            "a read at its version": get(OWN, 'If-Match: "1"'),
            "a read at any version": get(OWN, "If-Match: *"),
            "a list read at any": get(LIST, "If-Match: *"),
            "a list read but for a tag": get(LIST, 'If-None-Match: "1"'),
            "a read unless changed since never": get(OWN, "If-Modified-Since: x"),
            "a read unless changed since the future": get(
                OWN, "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"
            ),
            "an update unless changed since 1970": put(
                TASK, "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"
            ),
        },
    ),
    *accepted(
        26,
        204,
        {
            "a deletion but for another version": delete('If-None-Match: "2"'),
            # A method that selects no representation has no conditions (RFC 9110, section 13.2.1).
            "OPTIONS at another version": message("OPTIONS", OWN, 'If-Match: "99"'),
            "OPTIONS but for a number": message("OPTIONS", LIST, "If-None-Match: 1"),
        },
    ),
    *accepted(
        26,
        304,
        {
            "a read but for its version": get(OWN, 'If-None-Match: "1"'),
            "a read but for its version, weakly": get(OWN, 'If-None-Match: W/"1"'),
            "a read but for anything": get(OWN, "If-None-Match: *"),
            "a read but for its version among others": get(OWN, 'If-None-Match: "x", "1"'),
            "a look but for its version": message("HEAD", OWN, 'If-None-Match: "1"'),
            "a read at its version, but for it": get(OWN, 'If-Match: "1"', 'If-None-Match: "1"'),
            "a list read but for anything": get(LIST, "If-None-Match: *"),
            "a look at a list but for anything": message("HEAD", LIST, "If-None-Match: *"),
        },
    ),
    *refused(
        26,
        400,
        "malformed-request",
        {
            "an empty key": keyed(""),
            "a key of blanks": keyed("   "),
            "a key of 256 characters": keyed("x" * 256),
            "a key of 8,000 characters": keyed("x" * 8000),
            "a key of bytes that are no ASCII": keyed("\xc3\xa4"),
            "a key of a bad byte": keyed("\xff"),
            "a key with a tab": keyed("a\tb"),
            "a key with a comma": keyed("a,b"),
            "two keys": post(TASK, "Idempotency-Key: a", "Idempotency-Key: b"),
            "the same key twice": post(TASK, "Idempotency-Key: a", "Idempotency-Key: a"),
            "an update under an empty key": put(TASK, "Idempotency-Key:"),
            "a patch under two keys": patch(TASK, "Idempotency-Key: a,b"),
            "a completion under a key of 256 characters": complete(
                None, f"Idempotency-Key: {'x' * 256}"
            ),
            "a deletion under a key that is no ASCII": delete("Idempotency-Key: \xe9"),
            "a deletion of no task under an empty key": delete("Idempotency-Key:", target=MISSING),
        },
    ),
    *accepted(
        26,
        201,
        {
            "a key of a letter": keyed("x"),
            "a key of 255 characters": keyed("y" * 255),
            "a key of every sign": keyed("!#$%&'()*+-./:;<=>?@[]^_`{|}~\"\\"),
            "a key of SQL": keyed("'; DROP TABLE idempotency_keys; --"),
            "a key with spaces inside": keyed("a b c"),
            "a key in another case": post(TASK, "IDEMPOTENCY-KEY: upper"),
            "a creation unless changed since 1970": post(
                TASK, "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"
            ),
            "a creation at any list": post(TASK, "If-Match: *"),
            "a creation but for a tag": post(TASK, 'If-None-Match: "1"'),
        },
    ),
    *accepted(
        26,
        200,
        {
            "a read under two keys": get(LIST, "Idempotency-Key: a,b"),
            "a preference for nothing": get(LIST, "Prefer:"),
            "a preference of commas": get(LIST, "Prefer: ,,;=,"),
            "a preference for another count": get(LIST, "Prefer: count=planned"),
            "a preference for a count without a value": get(LIST, "Prefer: count"),
            "a preference for a count in quotes": get(LIST, 'Prefer: count="exact"'),
            "a preference for a count behind a semicolon": get(LIST, "Prefer: x; count=exact"),
            "a preference for two counts": get(LIST, "Prefer: count=planned, count=exact"),
            "a preference in two headers": get(LIST, "Prefer: x", "Prefer: count=exact"),
            "a preference that is no ASCII": get(LIST, "Prefer: count=ex\xe4ct"),
            "a preference of 8,000 letters": get(LIST, "Prefer: " + "x," * 4000),
            "a preference for less": get(OWN, "Prefer: return=minimal"),
        },
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {
            "TRACE of a list": message("TRACE", LIST),
            "FOO of a list": message("FOO", LIST),
            "PUT of a list": message("PUT", LIST, body=TASK),
            "PATCH of a list": message("PATCH", LIST, body=TASK),
            "DELETE of a list": message("DELETE", LIST),
            "POST of a task": post(target=OWN),
            "POST of a completion": post(target=OWN + COMPLETE),
            "PUT of a completion": put(target=OWN + COMPLETE),
            "GET of a completion": get(OWN + COMPLETE),
            "DELETE of a completion": delete(target=OWN + COMPLETE),
            "PROPFIND of a list": message("PROPFIND", LIST),
            "QUERY of a list": message("QUERY", LIST, body=b"{}"),
            "PURGE of a task": message("PURGE", OWN),
            "POST of the document": post(target="/openapi.json"),
            "DELETE of a process's life": delete(target="/livez"),
            "TRACE of another user's list": message("TRACE", "/api/tasks/bob/tasks"),
            "FOO without a token": message("FOO", LIST, token=None),
            "a method of signs": message("M-SEARCH", LIST),
        },
    ),
    *by_server(
        26,
        400,
        {
            "a method in lower case": message("get", LIST),
            "a method in mixed case": message("Get", LIST),
            "a method of two letters": message("GE", LIST),
            "a method of 21 letters": message("A" * 21, LIST),
            "a method with a number sign": message("G#T", LIST),
            "a method with a colon": message("G:T", LIST),
            "a method that is no ASCII": message("G\xc9T", LIST),
            "no method": message("", LIST),
            "a space before the method": message(" GET", LIST),
        },
    ),
]
