"""Settable fields at their limits and beyond, and ids that are none."""

import json

from tests.hostile.case import accepted, by_server, invalid, refused
from tests.hostile.fields import cases_of, cases_of_filters
from tests.hostile.messages import COMPLETE, LIST, OWN, complete, delete, get, patch, post, put

from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.task_query import TaskQuery

ASTRAL_RANGE = "".join(chr(0x20000 + n) for n in range(10_000))


def titled(title: str) -> bytes:
    """Create a task with this title, whose letters are sent as they are."""
    return post(json.dumps({"title": title}, ensure_ascii=False).encode())


def escaped(title: str) -> bytes:
    """Create a task with this title, given as it stands between the quotes in JSON."""
    return post(b'{"title": "%s"}' % title.encode())


def described(description: str) -> bytes:
    """Create a task with this description."""
    fields = {"title": "x", "description": description}
    return post(json.dumps(fields, ensure_ascii=False).encode())


def at_id(task_id: str) -> bytes:
    return get(f"{LIST}/{task_id}")


CASES = [
    *cases_of(Task),
    *cases_of(TaskList),
    *cases_of_filters(TaskQuery),
    *invalid(
        21,
        ("/title", "/description"),
        {"NUL in every field": post(b'{"title": "\\u0000", "description": "\\u0000"}')},
    ),
    *invalid(
        22,
        "/title",
        {
            "no title": post(b"{}"),
            "an update without a title": put(b'{"description": "x"}'),
            "an update of nothing": put(b"{}"),
        },
    ),
    *invalid(
        23,
        "/completed",
        {
            "a completion that is 1": complete(b'{"completed": 1}'),
            'a completion that is "yes"': complete(b'{"completed": "yes"}'),
            "a completion that is null": complete(b'{"completed": null}'),
            "a completion of an empty object": complete(b"{}"),
        },
    ),
    *invalid(
        24,
        "/title",
        {
            "a title of a no-break space": titled("\xa0"),
            "a title of the next line": titled("\x85"),
            "a title of an em space": titled("\u2003"),
            "a title of an ideographic space": titled("\u3000"),
            "a title of a line separator": titled("\u2028"),
            "a title of an Ogham space": titled("\u1680"),
            "a title of every space": titled(" \xa0\u2000\u2009\u202f\u205f\u3000"),
            "a title of 60,000 letters": titled("x" * 60_000),
        },
    ),
    *accepted(
        24,
        201,
        {
            "a title of the last code point": titled("\U0010ffff"),
            "a title of a code point that is no character": titled("\ufffe\uffff"),
            "a title of DEL": titled("\x7f"),
            "a title of a control of the second set": titled("a\x9bb"),
            "a title of a zero-width space": titled("\u200b"),
            "a title of a byte order mark": titled("\ufeff"),
            "a title of a Hangul filler": titled("\u3164"),
            "a title with spaces around": titled("  x  "),
            "a title that runs from right to left": titled("\u202egpj.exe"),
            "a title of combining marks": titled("e" + "\u0301" * 254),
            "a title that is not normalised": titled("A\u030a\u212b\u00c5"),
            "a title whose letters grow when folded": titled("\u0390\ufb03\xdf" * 85),
            "a title with a dotted capital I": titled("\u0130\u0131I"),
            "a title of the replacement character": titled("\ufffd"),
            "a title of quotes": titled("'; DROP TABLE tasks; --\"\\"),
            "a title of wildcards": titled("%_%_\\%"),
            "a title of a script": titled("</script><script>alert(1)</script>"),
            "a title of a template": titled("{{7*7}} ${7*7} %(x)s {0} %s"),
            "a title of a formula": titled("=1+1|' /C calc'!A0"),
            "a title of parameters": titled(":owner $1 ? %(owner)s"),
            "a title of the word null": titled("null"),
            "a description of the empty string": described(""),
            "a description of 10,000 letters, all different": described(ASTRAL_RANGE),
            "a description of 10,000 letters that grow when folded": described("\u0390" * 10_000),
            "a description of line ends and tabs": described("a\r\n\tb"),
            "a description of blanks": described(" \u3000"),
        },
    ),
    *accepted(
        24,
        200,
        {
            "an update that changes nothing": put(b'{"title": "Buy milk"}'),
            "a patch to blanks": patch(b'{"description": "\\u3000"}'),
            "a completion": complete(),
            "a completion of false": complete(b'{"completed": false}'),
        },
    ),
    *refused(
        25,
        404,
        "not-found",
        {
            "the id 1": at_id("1"),
            "the id 01": at_id("01"),
            "the id 0x1": at_id("0x1"),
            "the id -1": at_id("-1"),
            "the id 1e1": at_id("1e1"),
            "the id null": at_id("null"),
            "the id undefined": at_id("undefined"),
            "the id NaN": at_id("NaN"),
            "the id *": at_id("*"),
            "the id of a wildcard": at_id("%25"),
            "an id in braces": at_id("{{own}}"),
            "an id as a name": at_id("urn:uuid:{own}"),
            "an id without dashes": at_id("{own without dashes}"),
            "an id with a letter more": at_id("{own}0"),
            "an id with a dash more": at_id("{own}-"),
            "an id with a space behind": at_id("{own}%20"),
            "an id with a line end behind": at_id("{own}%0A"),
            "an id with NUL behind": at_id("{own}%00"),
            "an id with a quote behind": at_id("{own}'"),
            "an id with an ending": at_id("{own}.json"),
            "two ids": at_id("{own},{own}"),
            "an id with dashes elsewhere": at_id("0193-2d0e5f0a-7cc398f4-0b8e-1c6f2a11aa"),
            "an id with a letter that is no digit": at_id("g1932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"),
            "an id of full-width digits": at_id("%EF%BC%90" * 8 + "-5f0a-7cc3-98f4-0b8e1c6f2a11"),
            "an id of Arabic digits": at_id("%D9%A0" * 8 + "-5f0a-7cc3-98f4-0b8e1c6f2a11"),
            "an id of 3,000 digits": at_id("9" * 3000),
            "a condition of SQL": at_id("1%20OR%201=1"),
            "a deletion of 01": delete(target=f"{LIST}/01"),
            "an update of 01": put(target=f"{LIST}/01"),
            "a completion of 01": complete(target=f"{LIST}/01/complete"),
            "something below a task": get(f"{OWN}/comments"),
            "something below a completion": complete(target=f"{OWN}{COMPLETE}/now"),
            "a completion in another case": complete(target=f"{OWN}/Complete"),
        },
    ),
    *accepted(25, 200, {"an id in upper case": at_id("{OWN}")}),
    *by_server(25, 414, {"an id of 9,000 digits": at_id("9" * 9000)}),
]
