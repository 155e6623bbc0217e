"""The pages that are for everybody, asked for in odd ways and without a token."""

from tests.hostile.case import accepted, refused
from tests.hostile.messages import get, message

FILE = "/docs/start.js"


def public(target: str, *lines: str) -> bytes:
    return get(target, *lines, token=None)


CASES = [
    *accepted(
        26,
        200,
        {
            "a range of a file": public(FILE, "Range: bytes=0-1"),
            "a range behind the end": public(FILE, "Range: bytes=999999-"),
            "a range that ends before it begins": public(FILE, "Range: bytes=5-1"),
            "a range of nothing": public(FILE, "Range: bytes=-0"),
            "a range of 30 digits": public(FILE, f"Range: bytes={'9' * 30}-"),
            "a range of superscript digits": public(FILE, "Range: bytes=\xb2-"),
            "a range that is none": public(FILE, "Range: x"),
            "1,000 ranges": public(FILE, "Range: bytes=" + ",".join(["0-1"] * 1000)),
            "a range of a page": public("/docs", "Range: bytes=999999-"),
            "a range of a large file": message(
                "HEAD", "/docs/swagger-ui-bundle.js", "Range: bytes=0-", token=None
            ),
            "a range if a date is none": public(FILE, "If-Range: x", "Range: bytes=0-1"),
            "a file if changed since never": public(FILE, "If-Modified-Since: x"),
            "a file if changed since the year 10^20": public(
                FILE, f"If-Modified-Since: Fri, 31 Dec 1{'0' * 20} 23:59:59 GMT"
            ),
            "a file if changed since the future": public(
                FILE, "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 -9999"
            ),
            "a file unless changed since month 99": public(
                FILE, "If-Unmodified-Since: Fri, 31 99 2026 23:59:59 GMT"
            ),
            "a file but for a tag that is none": public(FILE, 'If-None-Match: W/", \xff'),
            "a file with a parameter": public(f"{FILE}?x=%FF"),
            "the document with a parameter": public("/openapi.json?x=%FF"),
            "a file at any tag": public(FILE, "If-Match: *"),
            "a process's life with a bad token": get("/livez", token="x.y.z"),
            "a process's life with a body": public("/livez", "Content-Length: 1") + b"{",
            "the front page with a parameter": public("/?x=%FF"),
            "the front page with a bad token": get("/", token="x.y.z"),
            "a range of the front page": public("/", "Range: bytes=999999-"),
            "a file of another version": public(f"{FILE}?v=%00"),
            "a file of two versions": public(f"{FILE}?v=1&v=2"),
            "a look at the reference page": message("HEAD", "/docs", token=None),
            "the page of a problem": public("/problems/not-found"),
        },
    ),
    *accepted(
        26,
        304,
        {
            "a file but for anything": public(FILE, "If-None-Match: *"),
            "the front page but for anything": public("/", "If-None-Match: *"),
            "the document but for anything": public("/openapi.json", "If-None-Match: *"),
        },
    ),
    *refused(
        26,
        412,
        "precondition-failed",
        {
            "a file at another tag": public(FILE, 'If-Match: "x"'),
            "the document at another tag": public("/openapi.json", 'If-Match: "x"'),
            "the front page at another tag, but for anything": public(
                "/", 'If-Match: "x"', "If-None-Match: *"
            ),
        },
    ),
    *refused(26, 400, "malformed-request", {"a file at a word": public(FILE, "If-Match: x")}),
    *accepted(9, 204, {"OPTIONS of the reference page": message("OPTIONS", "/docs", token=None)}),
    *refused(
        8,
        405,
        "method-not-allowed",
        {"a write to the front page": message("POST", "/", body=b"{}", token=None)},
    ),
    *refused(
        7,
        404,
        "not-found",
        {
            "a file with NUL behind": public(f"{FILE}%00"),
            "a file with a slash behind": public(f"{FILE}/"),
            "a file that is a dot": public("/docs/."),
            "a file that is two dots": public("/docs/%2e%2e"),
            "a file in another case": public("/docs/START.js"),
            "no file": public("/docs/"),
            "a problem in another case": public("/problems/Not-Found"),
            "a problem that is no UTF-8": public("/problems/%FF"),
            "a problem that is a template": public("/problems/%7B%7B7*7%7D%7D"),
            "a process's life with a slash behind": public("/livez/"),
        },
    ),
]
