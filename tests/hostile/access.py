"""Other users' paths and tasks, names that look alike, and headers that stand in for something."""

from tests.hostile.case import accepted, invalid, refused
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

BOBS_LIST = "/api/tasks/bob/tasks"


def under(user: str) -> bytes:
    """Read the list under the path of `user`, as Ada."""
    return get(f"/api/tasks/{user}/tasks")


UNKNOWN = [f"{n:04}" for n in range(7_000)]

CASES = [
    *refused(
        1,
        401,
        "unauthenticated",
        {
            "a list without a token": get(token=None),
            "labels without a token": get("/api/tasks/ada/labels", token=None),
            "a creation without a token": post(token=None),
            "a task without a token": get(OWN, token=None),
            "an update without a token": message("PUT", OWN, body=TASK, token=None),
            "a patch without a token": message("PATCH", OWN, body=TASK, token=None),
            "a completion without a token": message("PATCH", OWN + COMPLETE, token=None),
            "a deletion without a token": message("DELETE", OWN, token=None),
            "another user's list without a token": get(BOBS_LIST, token=None),
            "a look at a list without a token": message("HEAD", LIST, token=None),
            "a look at a task without a token": message("HEAD", OWN, token=None),
            "no token, and a body that is no JSON": post(b"{", token=None),
            "no token, and a body over 192 KiB": post(b"x" * 196_609, token=None),
            "no token, and a parameter that is none": get(f"{LIST}?x=1", token=None),
        },
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            "the list of another user": get(BOBS_LIST),
            "the list of a user who never was": under("nobody"),
            "a creation for another user": post(target=BOBS_LIST),
            "the labels of another user": get("/api/tasks/bob/labels"),
            "another user's task under that user's path": get(f"{BOBS_LIST}/{{foreign}}"),
            "an update under another user's path": put(target=f"{BOBS_LIST}/{{foreign}}"),
            "a patch under another user's path": patch(target=f"{BOBS_LIST}/{{foreign}}"),
            "a completion under another user's path": complete(
                target=f"{BOBS_LIST}/{{foreign}}/complete"
            ),
            "a deletion under another user's path": delete(target=f"{BOBS_LIST}/{{foreign}}"),
            "the own task under another user's path": get(f"{BOBS_LIST}/{{own}}"),
            "the own path with another user's token": get(token="{bob}"),
            "another user's path, and a body that is no JSON": post(b"{", target=BOBS_LIST),
            "another user's path, and a body over 192 KiB": post(b"x" * 196_609, target=BOBS_LIST),
            "another user's path, and a parameter that is none": get(f"{BOBS_LIST}?x=1"),
            "another user's path, and a bad key": post(
                TASK, "Idempotency-Key: a,b", target=BOBS_LIST
            ),
            "another user's path, and a bad condition": delete(
                "If-Match: 1", target=f"{BOBS_LIST}/{{foreign}}"
            ),
            "a look at another user's list": message("HEAD", BOBS_LIST),
        },
    ),
    *refused(
        3,
        404,
        "task-not-found",
        {
            "another user's task": get(FOREIGN),
            "another user's task updated": put(target=FOREIGN),
            "another user's task patched": patch(target=FOREIGN),
            "another user's task completed": complete(target=FOREIGN + COMPLETE),
            "another user's task reopened": complete(
                b'{"completed": false}', target=FOREIGN + COMPLETE
            ),
            "another user's task deleted": delete(target=FOREIGN),
            "a look at another user's task": message("HEAD", FOREIGN),
            "no task": get(MISSING),
            "no task updated": put(target=MISSING),
            "no task patched": patch(target=MISSING),
            "no task completed": complete(target=MISSING + COMPLETE),
            "no task deleted": delete(target=MISSING),
            "another user's task deleted under a key": delete(
                "Idempotency-Key: hostile-foreign-delete", target=FOREIGN
            ),
            "another user's task updated under a key": put(
                TASK, "Idempotency-Key: hostile-foreign-update", target=FOREIGN
            ),
            "the nil id": get(f"{LIST}/00000000-0000-0000-0000-000000000000"),
            "the highest id": get(f"{LIST}/ffffffff-ffff-ffff-ffff-ffffffffffff"),
        },
    ),
    *invalid(
        4,
        "/user_id",
        {
            "a creation in the name of another": post(b'{"title": "x", "user_id": "bob"}'),
            "a creation in the own name": post(b'{"title": "x", "user_id": "ada"}'),
            "an update that gives a task away": put(b'{"title": "x", "user_id": "bob"}'),
            "a patch that gives a task away": patch(b'{"user_id": "bob"}'),
            "a completion that gives a task away": complete(
                b'{"completed": true, "user_id": "bob"}'
            ),
        },
    ),
    *invalid(4, "/id", {"a creation with an id": post(b'{"title": "x", "id": 1}')}),
    *invalid(4, "/version", {"an update that sets the version": put(b'{"title":"x","version":9}')}),
    *invalid(4, "/created_at", {"a patch of the past": patch(b'{"created_at": null}')}),
    *invalid(
        4,
        "/updated_at",
        {"a patch of the present": patch(b'{"updated_at": "1970-01-01T00:00:00Z"}')},
    ),
    *invalid(
        4,
        "/completed_at",
        {"a creation completed long ago": post(b'{"title":"x","completed_at":"1970-01-01"}')},
    ),
    *invalid(4, "/owner", {"a field of a like name": post(b'{"title": "x", "owner": "bob"}')}),
    *invalid(4, "/Title", {"a field in another case": patch(b'{"Title": "x"}')}),
    *invalid(4, "/title ", {"a field with a space": patch(b'{"title ": "x"}')}),
    *invalid(4, "/", {"a field without a name": patch(b'{"": "x"}')}),
    *invalid(4, "/__proto__", {"a prototype": patch(b'{"__proto__": {"completed": true}}')}),
    *invalid(4, "/__class__", {"a class": patch(b'{"__class__": "Task"}')}),
    *invalid(4, "/$where", {"an operator": patch(b'{"$where": "1"}')}),
    *invalid(4, "/a~1b~0c", {"a field that a pointer must escape": patch(b'{"a/b~c": 1}')}),
    *invalid(
        4,
        ("/title", *(f"/{name}" for name in UNKNOWN[:49])),
        {
            "7,000 unknown fields": post(
                b"{%s}" % ",".join(f'"{name}":1' for name in UNKNOWN).encode()
            )
        },
    ),
    *invalid(4, "/?", {"a field whose name is no text": patch(b'{"\\ud800": 1}')}),
    *invalid(4, "/\0", {"a field named NUL": patch(b'{"\\u0000": 1}')}),
    *refused(
        7,
        403,
        "not-your-tasks",
        {
            "a user in another case": under("Ada"),
            "a user in upper case": under("ADA"),
            "a user with a dot": under("ada."),
            "a user with a space before": under("%20ada"),
            "a user with a space behind": under("ada%20"),
            "a user with a plus for a space": under("ada+"),
            "a user with a tab behind": under("ada%09"),
            "a user with a line end behind": under("ada%0A"),
            "a user with NUL behind": under("ada%00"),
            "a user with NUL and another behind": under("ada%00bob"),
            "a user with DEL behind": under("ada%7F"),
            "a user in full-width letters": under("%EF%BD%81%EF%BD%84%EF%BD%81"),
            "a user in Cyrillic letters": under("%D0%B0da"),
            "a user with a combining mark": under("ada%CC%88"),
            "a user with a zero-width space": under("ada%E2%80%8B"),
            "a user with a soft hyphen": under("a%C2%ADda"),
            "a user with a no-break space": under("ada%C2%A0"),
            "a user with a byte order mark": under("%EF%BB%BFada"),
            "a user with a right-to-left mark": under("ada%E2%80%8F"),
            "a user that is no UTF-8": under("ada%FF"),
            "a user that is only a bad byte": under("%FF"),
            "a user in overlong UTF-8": under("%C1%A1da"),
            "a user with an overlong NUL": under("ada%C0%80"),
            "a user with an encoded surrogate": under("ada%ED%A0%80"),
            "a user encoded twice": under("%2561da"),
            "a slash encoded twice": under("ada%252Ftasks"),
            "a user with a broken escape": under("ada%"),
            "a user with half an escape": under("ada%6"),
            "a user with an escape that is none": under("ada%zz"),
            "a user with an old escape of JavaScript": under("%u0061da"),
            "a user as a wildcard": under("*"),
            "a user as a wildcard of SQL": under("%25"),
            "a user as a condition of SQL": under("ada'%20OR%20'1'='1"),
            "a user with a backslash": under("bob%5C..%5Cada"),
            "a user with a parameter of the path": under("ada;x=1"),
            "a user in braces": under("{ada}".replace("ada", "user_id")),
            "two users": under("ada,bob"),
            "a user that is a dot": under("%2E"),
            "a user that is two dots": under("%2E%2E"),
            "a user of 3,000 characters": under("a" * 3000),
            "a user in a mark of the log": under("%1B%5B31mada"),
            "a user that forges a header": under("ada%0D%0ASet-Cookie:%20x=1"),
        },
    ),
    *accepted(
        7,
        200,
        {
            "a user whose letters are encoded": under("%61%64%61"),
            "a path whose words are encoded": get("/%61pi/t%61sks/ada/%74asks"),
        },
    ),
    *refused(
        7,
        404,
        "not-found",
        {
            "an encoded slash": under("ada%2Ftasks"),
            "an encoded slash in lower case": under("ada%2ftasks"),
            "an encoded slash in place of one": get("/api/tasks/ada%2Ftasks"),
            "an encoded slash before an id": get(f"{LIST}%2F{{own}}"),
            "an encoded way up": get("/api/tasks/bob%2F..%2Fada/tasks"),
            "a way up": get("/api/tasks/bob/../ada/tasks"),
            "a way up whose dots are encoded": get("/api/tasks/bob/%2E%2E/ada/tasks"),
            "a way up out of the root": get("/../api/tasks/ada/tasks"),
            "a dot in the path": get("/api/./tasks/ada/tasks"),
            "two slashes at the start": get("//api/tasks/ada/tasks"),
            "two slashes before the user": get("/api/tasks//ada/tasks"),
            "two slashes behind the user": get("/api/tasks/ada//tasks"),
            "no user": get("/api/tasks//tasks"),
            "a slash at the end": get(f"{LIST}/"),
            "a slash behind an id": get(f"{OWN}/"),
            "a slash behind a completion": complete(target=f"{OWN}/complete/"),
            "a backslash for a slash": get("/api/tasks/ada\\tasks"),
            "a word in another case": get("/API/tasks/ada/tasks"),
            "a word of more letters": get("/api/tasks/ada/tasks2"),
            "a word with an ending": get("/api/tasks/ada/tasks.json"),
            "a word with NUL behind": get(f"{LIST}%00"),
            "a word with a parameter of the path": get(f"{LIST};x=1"),
            "a file of the system": get("/docs/..%5C..%5C..%5Cetc%5Cpasswd"),
            "a file of the system, encoded": get("/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
            "a way up from the reference page": get("/docs/../../../../etc/passwd"),
            "a file that is not served": get("/docs/swagger-ui-bundle.js.map"),
            "a problem that is none": get("/problems/%00"),
            "the list of users": get("/api/tasks"),
            "a file at the root": get("/index.html"),
            "the metrics on the public port": get("/metrics"),
            "a network address for a path": get("//evil.example/%2e%2e/api/tasks/ada/tasks"),
        },
    ),
    *accepted(
        8,
        200,
        {
            "another method in a header": get(LIST, "X-HTTP-Method-Override: DELETE"),
            "another method in a like header": get(OWN, "X-Method-Override: DELETE"),
            "another user in a header": get(LIST, "X-User-ID: bob", "X-Remote-User: bob"),
            "another path in a header": get(LIST, f"X-Original-URL: {BOBS_LIST}"),
            "another path in a like header": get(LIST, f"X-Rewrite-URL: {BOBS_LIST}"),
            "a forwarded host": get(LIST, "X-Forwarded-Host: evil.example"),
            "a forwarded scheme": get(LIST, "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on"),
            "a forwarded prefix": get(LIST, "X-Forwarded-Prefix: /evil"),
            "a forwarded prefix of another host": get(LIST, "X-Forwarded-Prefix: //evil.example"),
            "a forwarded prefix that is none": get(LIST, 'X-Forwarded-Prefix: "<?\\ %00%ff'),
            "a forwarded host that is none": get(LIST, "X-Forwarded-Host: a b:c:d/e?f@[::"),
            "a forwarded port that is none": get(LIST, "X-Forwarded-Port: -1e9"),
            "a forwarded scheme that is none": get(LIST, "X-Forwarded-Proto: javascript:x//"),
            "a thousand forwarded addresses": get(LIST, f"X-Forwarded-For: {'1.1.1.1,' * 1000}"),
            "forwarded headers without a value": get(
                LIST, "X-Forwarded-For:", "X-Forwarded-Proto: ,", "X-Forwarded-Prefix: ,,"
            ),
            "an origin that may be let in": get(LIST, "Origin: https://app.example"),
            "an origin with a line break": get(LIST, "Origin: https://app.example%0d%0aX-Evil: 1"),
            "an origin that is a pattern": get(LIST, "Origin: https://(a+)+$"),
            "a forwarded address": get(LIST, "X-Forwarded-For: 127.0.0.1", "X-Real-IP: ::1"),
            "a forwarded address that is none": get(LIST, "X-Forwarded-For: '; DROP TABLE tasks"),
            "a Forwarded header": get(LIST, "Forwarded: for=127.0.0.1;host=evil;proto=https"),
            "a script name": get(LIST, "SCRIPT_NAME: /api"),
            "a script name with a dash": get(LIST, "Script-Name: /api"),
            "a path info": get(LIST, f"PATH_INFO: {BOBS_LIST}"),
            "a remote user": get(LIST, "REMOTE_USER: bob"),
            "an Authorization with an underscore": get(LIST, "HTTP_AUTHORIZATION: Bearer x"),
            "a Proxy header": get(LIST, "Proxy: http://evil.example/"),
            "an origin": get(LIST, "Origin: https://evil.example"),
            "an origin of null": get(LIST, "Origin: null"),
            "a cookie": get(LIST, "Cookie: session=bob; user_id=bob"),
            "a range": get(LIST, "Range: bytes=0-1"),
            "another media type preferred": get(LIST, "Accept: text/html, application/xml;q=0.9"),
            "an encoding preferred": get(LIST, "Accept-Encoding: gzip, br, zstd"),
            "a wish for HTTP/2": get(
                LIST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA"
            ),
            "a wish for a web socket": get(
                LIST, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA=="
            ),
        },
    ),
    *accepted(
        8,
        201,
        {
            "a creation through a forwarded host": post(
                TASK, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"
            ),
            "a creation under a forwarded prefix": post(TASK, "X-Forwarded-Prefix: /evil"),
            "a creation under another host": post(TASK, "X-Forwarded-Prefix: //evil.example"),
            "a creation that would be a deletion": post(TASK, "X-HTTP-Method-Override: DELETE"),
        },
    ),
    *refused(
        8,
        401,
        "unauthenticated",
        {
            "a user in a header instead of a token": get(LIST, "X-User-ID: ada", token=None),
            "a token in a header of another name": get(
                LIST, "X-Authorization: Bearer {ada}", token=None
            ),
            "a token in a proxy's header": get(
                LIST, "Proxy-Authorization: Bearer {ada}", token=None
            ),
            "a token in a header with an underscore": get(
                LIST, "HTTP_AUTHORIZATION: Bearer {ada}", token=None
            ),
            "a local address instead of a token": get(
                LIST, "X-Forwarded-For: 127.0.0.1", token=None
            ),
        },
    ),
    *refused(
        8,
        403,
        "not-your-tasks",
        {
            "the own path in a header": get(BOBS_LIST, f"X-Original-URL: {LIST}"),
            "the other user in a header": get(BOBS_LIST, "X-User-ID: bob"),
            "a script name that hides the user": get(BOBS_LIST, "SCRIPT_NAME: /api/tasks/bob"),
        },
    ),
    *accepted(
        9,
        204,
        {
            "OPTIONS of a list without a token": message("OPTIONS", LIST, token=None),
            "OPTIONS of another user's list": message("OPTIONS", BOBS_LIST),
            "OPTIONS of another user's task": message("OPTIONS", FOREIGN, token=None),
            "OPTIONS with a bad token": message("OPTIONS", LIST, token="x.y.z"),
            "OPTIONS with a body": message("OPTIONS", LIST, body=b"{"),
            "OPTIONS with a bad condition": message("OPTIONS", OWN, "If-Match: 1"),
            "a preflight": message(
                "OPTIONS",
                LIST,
                "Origin: https://evil.example",
                "Access-Control-Request-Method: DELETE",
                "Access-Control-Request-Headers: authorization",
                token=None,
            ),
        },
    ),
    *accepted(
        9,
        200,
        {"a look at the list": message("HEAD", LIST), "a look at a task": message("HEAD", OWN)},
    ),
    *refused(
        9,
        404,
        "not-found",
        {
            "OPTIONS of no route": message("OPTIONS", "/api", token=None),
            "a look at no route": message("HEAD", "/nowhere"),
        },
    ),
    *invalid(9, "?x", {"a look with a parameter that is none": message("HEAD", f"{LIST}?x=1")}),
]
