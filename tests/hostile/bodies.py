"""Bodies that are no JSON, that say they are something else, or that are too long."""

import gzip
import zlib

from tests.hostile.case import accepted, invalid, refused
from tests.hostile.messages import (
    COMPLETE,
    JSON,
    LIST,
    MERGE_PATCH,
    OWN,
    TASK,
    chunked,
    complete,
    delete,
    get,
    message,
    patch,
    post,
    put,
)

CHUNKED = "Transfer-Encoding: chunked"
LIMIT = 192 * 1024


def padded(size: int) -> bytes:
    """Return a good body of `size` bytes, most of them white space."""
    return TASK + b" " * (size - len(TASK))


def of(member: bytes) -> bytes:
    """Return a good creation with one more member."""
    return b'{"title": "x", %s}' % member


CASES = [
    *refused(
        21,
        400,
        "malformed-request",
        {
            "an empty creation": post(b""),
            "an empty update": put(b""),
            "an empty patch": patch(b""),
            "a body of white space": post(b" \t\r\n"),
            "a completion of white space": complete(b" "),
            "a body that breaks off in an object": post(b'{"title": "x"'),
            "a body that breaks off in a string": post(b'{"title": "x'),
            "a body that breaks off in an escape": post(b'{"title": "\\u00'),
            "a body that breaks off in a letter": post(b'{"title": "\xc3'),
            "a body with more behind": post(TASK + b" x"),
            "a body with NUL behind": post(TASK + b"\0"),
            "two bodies": post(TASK + TASK),
            "a raw NUL in a string": post(b'{"title": "a\0b"}'),
            "a raw line end in a string": post(b'{"title": "a\nb"}'),
            "a raw tab in a string": post(b'{"title": "a\tb"}'),
            "an escape that is none": post(b'{"title": "\\x41"}'),
            "single quotes": post(b"{'title': 'x'}"),
            "a name without quotes": post(b'{title: "x"}'),
            "a comma at the end": post(b'{"title": "x",}'),
            "a comment": post(b'{"title": "x" /* y */}'),
            "NaN": post(of(b'"description": NaN')),
            "Infinity": post(of(b'"description": Infinity')),
            "minus Infinity": post(of(b'"description": -Infinity')),
            "a number beyond a double": post(of(b'"description": 1e400')),
            "a negative number beyond a double": post(of(b'"description": -1e400')),
            "an integer of 20 digits": post(of(b'"description": 10000000000000000000')),
            "an integer of 5,000 digits": post(of(b'"description": ' + b"9" * 5000)),
            "a negative integer of 20 digits": post(of(b'"description": -99999999999999999999')),
            "a number with a zero before": post(of(b'"description": 01')),
            "a hexadecimal number": post(of(b'"description": 0x1')),
            "a number with a plus": post(of(b'"description": +1')),
            "a number without its fraction": post(of(b'"description": 1.')),
            "True as Python has it": post(of(b'"completed": True')),
            "undefined": post(of(b'"completed": undefined')),
            "a name twice": post(b'{"title": "x", "title": "y"}'),
            "a name twice, alike": post(b'{"title": "x", "title": "x"}'),
            "a name twice, once escaped": post(b'{"title": "x", "\\u0074itle": "y"}'),
            "a name twice, deep inside": post(of(b'"x": [{"a": 1, "a": 2}]')),
            "nesting of 33": post(of(b'"x": ' + b"[" * 32 + b"]" * 32)),
            "nesting of 30,000": post(b"[" * 30_000 + b"]" * 30_000),
            "brackets without end": post(b'{"title":' * 7_000),
            "a byte order mark": post(b"\xef\xbb\xbf" + TASK),
            "UTF-16": post(TASK.decode().encode("utf-16")),
            "UTF-16 without a mark": post(TASK.decode().encode("utf-16-le")),
            "UTF-32": post(TASK.decode().encode("utf-32-be")),
            "UTF-7": post(b"+AHsAfQ-"),
            "Latin-1": post('{"title": "ä"}'.encode("latin-1")),
            "a byte that is no UTF-8": post(b'{"title": "\xff"}'),
            "overlong UTF-8": post(b'{"title": "\xc0\x80"}'),
            "a surrogate in UTF-8": post(b'{"title": "\xed\xa0\x80"}'),
            "a code point beyond Unicode": post(b'{"title": "\xf4\x90\x80\x80"}'),
            "a form": post(b"title=x&completed=true"),
            "XML that reads a file": post(
                b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'
            ),
            "YAML": patch(b"title: x"),
            "a completion that is no JSON": complete(b"true,"),
            "a Content-Length longer than the body": post(TASK, "Content-Length: 100"),
            "a Content-Length longer than a broken body": put(b"{", "Content-Length: 2"),
            "a completion whose body never comes": complete(b"", "Content-Length: 20"),
            "a Content-Length shorter than the body": post(
                TASK, "Content-Length: 5", "Connection: close"
            ),
        },
    ),
    *accepted(
        21,
        201,
        {
            "nesting of 32 in a string": post(of(b'"description": "' + b"[" * 40 + b'"')),
            "brackets behind an escaped quote": post(of(b'"description": "\\"' + b"{" * 40 + b'"')),
            "white space around a body": post(b" \r\n\t" + TASK + b" \r\n\t"),
            "a name that is escaped": post(b'{"\\u0074itle": "x"}'),
        },
    ),
    *invalid(
        21,
        "/description",
        {
            "a string that is an integer of 19 digits": post(of(b'"description": ' + b"9" * 19)),
            "a string that is an integer over 64 bits": post(
                of(b'"description": 9223372036854775808')
            ),
            "a string that is a tiny number": post(of(b'"description": 1e-400')),
            "a string that is minus zero": post(of(b'"description": -0')),
        },
    ),
    *invalid(21, "/x", {"nesting of 32": post(of(b'"x": ' + b"[" * 31 + b"]" * 31))}),
    *invalid(
        22,
        # The pointer to the whole body is the empty one.
        "",
        {
            "a list for an object": post(b"[]"),
            "a list of objects": post(b'[{"title": "x"}]'),
            "null for an object": post(b"null"),
            "a string for an object": post(b'"x"'),
            "a number for an object": post(b"1"),
            "true for an object": post(b"true"),
            "an update by a list": put(b"[]"),
            "an update by null": put(b"null"),
            "a patch by null": patch(b"null"),
            "a JSON patch": patch(b'[{"op": "replace", "path": "/title", "value": "x"}]'),
            "a completion by true": complete(b"true"),
            "a completion by null": complete(b"null"),
            "a completion by a list": complete(b"[]"),
        },
    ),
    *refused(
        22,
        415,
        "unsupported-media-type",
        {
            "no media type": post(TASK, media=None),
            "no media type and no body": post(None),
            "an empty media type": post(TASK, media=""),
            "plain text": post(TASK, media="text/plain"),
            "a form by its media type": post(b"title=x", media="application/x-www-form-urlencoded"),
            "a form in parts": post(TASK, media="multipart/form-data; boundary=x"),
            "a merge patch as a creation": post(TASK, media=MERGE_PATCH),
            "a merge patch as an update": put(TASK, media=MERGE_PATCH),
            "a JSON patch by its media type": patch(TASK, media="application/json-patch+json"),
            "a problem for a task": post(TASK, media="application/problem+json"),
            "a media type of more letters": post(TASK, media="application/jsonx"),
            "a media type of text": post(TASK, media="text/json"),
            "a media type with a comma": post(TASK, media="application/json, text/plain"),
            "any media type": post(TASK, media="*/*"),
            "half a media type": post(TASK, media="application"),
            "a media type behind a semicolon": post(TASK, media="; application/json"),
            "a media type that is no ASCII": post(TASK, media="application/json\xff"),
            "a charset of UTF-16": post(TASK, media=f"{JSON}; charset=utf-16"),
            "a charset of Latin-1": post(TASK, media=f"{JSON}; charset=iso-8859-1"),
            "a charset of UTF-7": post(TASK, media=f"{JSON}; charset=utf-7"),
            "a charset that is none": post(TASK, media=f"{JSON}; charset=x"),
            "an empty charset": post(TASK, media=f"{JSON}; charset="),
            "two charsets": post(TASK, media=f"{JSON}; charset=utf-8; charset=utf-16"),
            "two charsets, the odd one first": post(
                TASK, media=f"{JSON}; charset=utf-16; charset=utf-8"
            ),
            "a charset behind a text without end": post(
                TASK, media=f'{JSON}; a="b; charset=utf-16'
            ),
            "an extended charset": post(TASK, media=f"{JSON}; charset*=utf-8''utf-16"),
            "a body in gzip": post(gzip.compress(TASK, mtime=0), "Content-Encoding: gzip"),
            "a body in deflate": post(zlib.compress(TASK), "Content-Encoding: deflate"),
            "a body that says gzip": post(TASK, "Content-Encoding: gzip"),
            "a body in two encodings": post(TASK, "Content-Encoding: identity, gzip"),
            "an encoding that is none": post(TASK, "Content-Encoding: x"),
            "a completion in gzip": complete(b'{"completed": true}', "Content-Encoding: gzip"),
            "a completion as a merge patch": message(
                "PATCH", OWN + COMPLETE, body=b'{"completed": true}', media=MERGE_PATCH
            ),
        },
    ),
    *accepted(
        22,
        201,
        {
            "a charset of UTF-8": post(TASK, media=f"{JSON}; charset=utf-8"),
            "a charset in quotes": post(TASK, media=f'{JSON};charset="UTF-8"'),
            "a media type in upper case": post(TASK, media="APPLICATION/JSON"),
            "a media type with another parameter": post(TASK, media=f"{JSON}; profile=x"),
            "an encoding that is identity": post(TASK, "Content-Encoding: identity"),
            "an empty encoding": post(TASK, "Content-Encoding:"),
            "a list of no encoding": post(TASK, "Content-Encoding: , identity,"),
            "a charset of UTF-8 without a dash": post(TASK, media=f"{JSON}; charset=utf8"),
            "a charset of ASCII": post(TASK, media=f"{JSON}; charset=us-ascii"),
            "a charset that is a text": post(
                TASK, media=f'{JSON}; profile="; charset=utf-16\\""; charset=utf-8'
            ),
            "a body of 192 KiB": post(padded(LIMIT)),
            "a body of 192 KiB in chunks": post(
                chunked(padded(LIMIT)[:100_000], padded(LIMIT)[100_000:]), CHUNKED
            ),
            "a body in chunks of one byte": post(
                chunked(*(TASK[n : n + 1] for n in range(len(TASK)))), CHUNKED
            ),
            "a chunk with an extension": post(
                b"%x;x=y\r\n%s\r\n0\r\n\r\n" % (len(TASK), TASK), CHUNKED
            ),
            "chunks with a trailer": post(chunked(TASK)[:-2] + b"X-More: 1\r\n\r\n", CHUNKED),
            "chunks in another case": post(chunked(TASK), "Transfer-Encoding: Chunked"),
        },
    ),
    *refused(
        22,
        413,
        "body-too-large",
        {
            "a body of a byte over 192 KiB": post(padded(LIMIT + 1)),
            "an update over 192 KiB": put(padded(LIMIT + 1)),
            "a patch over 192 KiB": patch(padded(LIMIT + 1)),
            "a completion over 192 KiB": complete(padded(LIMIT + 1)),
            "a deletion under a key over 192 KiB": message(
                "DELETE", OWN, "Idempotency-Key: large", body=padded(LIMIT + 1)
            ),
            "a plain text over 192 KiB": post(b"x" * (LIMIT + 1), media="text/plain"),
            "a body over 192 KiB in chunks": post(chunked(padded(LIMIT + 1)), CHUNKED),
            "a body over 192 KiB in small chunks": post(chunked(*[b" " * 1024] * 193), CHUNKED),
            "a Content-Length over 192 KiB with less behind": post(TASK, "Content-Length: 196609"),
            "a Content-Length of 10 GB": post(TASK, "Content-Length: 10737418240"),
            "a Content-Length beyond 64 bits": post(TASK, "Content-Length: 18446744073709551617"),
        },
    ),
    *accepted(
        22,
        200,
        {
            "a list read with a body": get(LIST, "Content-Length: 2") + b"{}",
            "a list read with a body that is no JSON": get(LIST, "Content-Length: 1") + b"{",
            "a completion in chunks of nothing": complete(chunked(), CHUNKED),
            "a patch that says JSON": patch(b'{"title": "x"}', media=JSON),
            "a patch of nothing": patch(b"{}"),
        },
    ),
    *accepted(22, 204, {"a deletion with a body": delete("Content-Length: 2") + b"{}"}),
]
