"""Batches: envelopes, commands of each operation, references, versions, sizes and other users."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.hostile import bodies, conditions, tokens
from tests.hostile.case import Case, accepted, invalid, refused
from tests.hostile.messages import MERGE_PATCH, chunked, message, post

BATCH = "/api/tasks/ada/batch"
OF_BOB = "/api/tasks/bob/batch"
LIMIT = 256 * 1024
EMOJI = "\U0001f600"

Command = dict[str, Any]
Commands = tuple[Command, ...]

NESTED = b'{"commands": [{"op": "create", "task": {"title": "x", "x": %s}}]}'
TWICE = b'{"commands": [{"op": "create", "task": {"title": "x"}%s}]%s}'

is_creation = re.compile(rb"POST /api/tasks/ada/tasks ").match
is_read = re.compile(rb"GET /api/tasks/ada/tasks ").match


def raw(body: bytes | None, *lines: str, target: str = BATCH) -> bytes:
    """Return a batch with this body."""
    return post(body, *lines, target=target)


def batch(*commands: object, lines: Iterable[str] = (), **members: object) -> bytes:
    """Return a batch of these commands, and other members; `lines` are headers."""
    return raw(json.dumps({**members, "commands": commands}).encode(), *lines)


def create(ref: str | None = None, /, **members: object) -> Command:
    """Return a command that creates a task, with a name if it has one."""
    named = {} if ref is None else {"ref": ref}
    return {"op": "create", **named, "task": {"title": "x", **members}}


def update(changes: Mapping[str, object], task_id: str = "{own}", **members: object) -> Command:
    """Return a command that changes a task."""
    return {"op": "update", "id": task_id, "changes": changes, **members}


def complete(task_id: object = "{own}", **members: object) -> Command:
    """Return a command that completes a task."""
    return {"op": "complete", "id": task_id, **members}


def remove(task_id: object = "{own}", **members: object) -> Command:
    """Return a command that deletes a task."""
    return {"op": "delete", "id": task_id, **members}


def restore(task_id: object = "{trashed}", **members: object) -> Command:
    """Return a command that restores a task."""
    return {"op": "restore", "id": task_id, **members}


def tree(depth: int) -> Commands:
    """Return commands that create a task, one under it, and so on."""
    below = (create(f"{n}", parent_id=f"${n - 1}") for n in range(1, depth))
    return (create("0"), *below)


def padded(size: int, command: Command) -> bytes:
    """Return a good body of `size` bytes, most of them white space."""
    return json.dumps({"commands": [command]}).encode().ljust(size)


WHOLE: dict[str, Command] = {
    "create": create(),
    "update": update({"title": "y"}),
    "complete": complete(),
    "delete": remove(),
    "restore": restore(),
}
"""A command of each operation that has only the members that it needs."""

OPTIONAL: dict[str, dict[str, object]] = {
    "create": {"ref": "a"},
    "update": {"if_match": "1"},
    "complete": {"if_match": "1", "completed": True, "time_zone": "UTC"},
    "delete": {"if_match": "1", "subtasks": "delete"},
    "restore": {"if_match": "1"},
}
MEMBERS: dict[str, object] = {
    "ref": "a",
    "id": "{own}",
    "task": {"title": "x"},
    "changes": {"title": "x"},
    "completed": True,
    "time_zone": "UTC",
    "subtasks": "delete",
    "if_match": "1",
}
"""All members of commands but `op`, with a value that is right."""

STATUSES = {"create": 201, "update": 200, "complete": 200, "delete": 204, "restore": 200}

NO_STRINGS: tuple[object, ...] = (None, True, 0, 1, 3, 1.5, [], ["a"], {}, {"a": 1})
NO_OBJECTS: tuple[object, ...] = (None, True, 0, "", "{own}", [], [{"title": "x"}])
WRONG: dict[str, tuple[object, ...]] = {
    "op": (*NO_STRINGS, "", "CREATE", "create ", " create", "create\0", "move", "undo", "purge"),
    "ref": (
        *(*NO_STRINGS, "", "$a", "a b", "a.b", "a/b", "a\n", "\na", "a\0", "ä", "\uff41"),
        *("\ud800", "../a", "a,b", "{own}!", "a" * 65, "a" * 10_000),
    ),
    "id": (
        *(
            *NO_STRINGS,
            "",
            "a",
            "$",
            "$$",
            "$$a",
            "$ a",
            "$a\n",
            "$" + "a" * 65,
            "$" + "a" * 10_000,
        ),
        *("$ä", "$\0", "$\ud800", "${own}", "{own}\n", " {own}", "{own}0", "{own},{own}"),
        *("{own without dashes}", "urn:uuid:{own}", "1", "inbox", "null", "$b", "$0", "1 OR 1=1"),
    ),
    "task": NO_OBJECTS,
    "changes": NO_OBJECTS,
    "completed": (None, 0, 1, "", "true", "yes", [], {}),
    "time_zone": (*NO_STRINGS, "", "CEST", "europe/berlin", "../../etc/passwd", "UTC\0", "x" * 65),
    "subtasks": (*NO_STRINGS, "", "keep", "DELETE", "delete ", "inbox"),
    "if_match": (
        *(*NO_STRINGS, "", "0", '"0"', "01", '"01"', "-1", "+1", "1.0", "1e0", "0x1", "*", '"*"'),
        *(
            'W/"3"',
            'W/"1"',
            "W/1",
            '"1',
            '1"',
            "'1'",
            '""1""',
            '"1", "2"',
            "1,2",
            " 1",
            "1 ",
            "1\n",
        ),
        *('"1"\n', "1\0", "\uff11", "\u0661", "9" * 11, f'"{"9" * 11}"', "9" * 400, "x", '""'),
    ),
}
"""Values that a member of a command must not have, whatever its operation."""

OTHER_VERSIONS = ("2", '"2"', "3", '"3"', "2147483647", "2147483648", "9" * 10, f'"{"9" * 10}"')
"""Versions that no task here has."""

NO_MODES: tuple[object, ...] = (
    *(None, True, 0, [], {}, ["each"], "", "Each", "ATOMIC", " atomic", "atomic\n", "all", "none"),
)
NO_FLAGS: tuple[object, ...] = (None, 0, 1, 1.0, "", "true", "false", "yes", [], {}, [True])
NO_COMMANDS = {
    "null": b"null",
    "true": b"true",
    "a number": b"100",
    "a text": b'"create"',
    "an object": b'{"op": "create", "task": {"title": "x"}}',
    "an object of numbers": b'{"0": {"op": "delete", "id": "{own}"}}',
    "no command": b"[]",
    "101 commands": json.dumps([create()] * 101).encode(),
    "101 nulls": json.dumps([None] * 101).encode(),
    "80,000 numbers": json.dumps([7] * 80_000).encode(),
    "60,000 objects": json.dumps([{}] * 60_000).encode(),
    "60,000 arrays": json.dumps([[]] * 60_000).encode(),
}
ODD_NAMES = {
    "_schema": "_schema",
    "": "",
    "a/b": "a~1b",
    "~": "~0",
    "~1": "~01",
    "0": "0",
    "__proto__": "__proto__",
    "\ud800": "?",
    "x\udfff": "x?",
    "\0": "\0",
    "Op": "Op",
    "op ": "op ",
    "user_id": "user_id",
    "owner": "owner",
    "$a": "$a",
    "n" * 50_000: "n" * 50_000,
}
"""Names of members that are none, and what a pointer has of them."""


def shown(value: object) -> str:
    """Return a value as the name of an entry has it."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:30]}… of {len(text)} characters"


def moved(case: Case, name: str, method: str, target: str) -> Case:
    """Return an entry about the list of tasks, asked of another operation."""
    rest = case.request.partition(b" /api/tasks/ada/tasks")[2]
    request = f"{method} {target}".encode() + rest
    return case._replace(name=f"{case.name}, of {name}", request=request)


def refused_bodies(name: str, method: str, target: str) -> Iterator[Case]:
    """Yield the bodies of creations that are refused as a whole, of another operation."""
    for case in bodies.CASES:
        is_whole = case.status in {400, 415} or case.at == ("",)
        if is_creation(case.request) and is_whole and not case.by_server:
            yield moved(case, name, method, target)


def refused_tokens() -> Iterator[Case]:
    """Yield the tokens that a read is refused for."""
    for case in tokens.CASES:
        if is_read(case.request) and case.status == 401:
            yield moved(case, "a batch", "POST", BATCH)


def wrong_members() -> Iterator[Case]:
    """Yield commands with a member of another form or operation, or without one."""
    for member, values in WRONG.items():
        op = next(op for op in WHOLE if member in {*WHOLE[op], *OPTIONAL[op]})
        requests = {
            f"a command {op} with {member} {shown(value)}": batch({**WHOLE[op], member: value})
            for value in values
        }
        yield from invalid(22, f"/commands/0/{member}", requests)
    for op, command in WHOLE.items():
        for member, value in MEMBERS.items():
            at = f"/commands/0/{member}"
            if member in command:
                rest = {name: one for name, one in command.items() if name != member}
                yield from invalid(22, at, {f"a command {op} without {member}": batch(rest)})
            elif member not in OPTIONAL[op]:
                for given in (value, None):
                    name = f"a command {op} that has {member} {shown(given)}"
                    yield from invalid(4, at, {name: batch({**command, member: given})})


def odd_names() -> Iterator[Case]:
    """Yield members that are none, at each depth: each has a pointer (RFC 6901)."""
    for name, escaped in ODD_NAMES.items():
        requests = {
            "": raw(json.dumps({name: 1, "commands": [create()]}).encode()),
            "/commands/0": batch({**create(), name: 1}),
            "/commands/0/task": batch(create(**{name: 1})),
            "/commands/0/changes": batch(update({name: 1})),
        }
        for at, request in requests.items():
            yield from invalid(
                4, f"{at}/{escaped}", {f"{shown(name)} in {at or 'a batch'}": request}
            )


def run(
    fault: int,
    name: str,
    commands: Commands,
    statuses: Iterable[int] = (),
    at: Iterable[str] = (),
    *,
    lines: Iterable[str] = (),
    **members: object,
) -> Case:
    """Return a batch that is run. Without other `statuses` every command succeeds."""
    expected = tuple(statuses) or tuple(STATUSES[one["op"]] for one in commands)
    request = batch(*commands, lines=lines, **members)
    return Case(name, request, 200, None, fault, tuple(at), statuses=expected)


def failing(
    fault: int, status: int, problem: str, at: str, batches: Mapping[str, Commands]
) -> Iterator[Case]:
    """Yield batches whose last command fails: in one mode the whole does, in the other it alone."""
    for name, commands in batches.items():
        places = (f"/commands/{len(commands) - 1}{at}",)
        statuses = (*(STATUSES[one["op"]] for one in commands[:-1]), status)
        yield Case(name, batch(*commands), status, problem, fault, places)
        yield run(fault, f"{name}, each", commands, statuses, places, mode="each")


def not_ones_own() -> Iterator[Case]:
    """Yield commands on what is no task of the caller's."""
    ids = {
        "another user's task": "{foreign}",
        "another user's task in the trash": "{foreign trashed}",
        "no task": "{missing}",
        "an own list": "{own list}",
    }
    for op in ("update", "complete", "delete", "restore"):
        there = {"a task": "{own}"} if op == "restore" else {"a task in the trash": "{trashed}"}
        batches = {
            f"a command {op} on {what}": (create(), {**WHOLE[op], "id": task_id})
            for what, task_id in {**ids, **there}.items()
        }
        yield from failing(3, 404, "task-not-found", "", batches)


CASES = [
    *refused_bodies("a batch", "POST", BATCH),
    *refused_tokens(),
    *wrong_members(),
    *odd_names(),
    *not_ones_own(),
    *refused(
        1, 401, "unauthenticated", {"a batch without a token": message("POST", BATCH, token=None)}
    ),
    *refused(
        2,
        403,
        "not-your-tasks",
        {
            "another user's batch": raw(b'{"commands": []}', target=OF_BOB),
            "another user's batch of the own task": raw(
                json.dumps({"commands": [remove()]}).encode(), target=OF_BOB
            ),
            "another user's batch, and a body that is no JSON": raw(b"{", target=OF_BOB),
            "another user's batch under a key": raw(b"{}", "Idempotency-Key: k", target=OF_BOB),
            "another user's batch over 256 KiB": raw(b" " * (LIMIT + 1), target=OF_BOB),
        },
    ),
    *failing(
        3,
        404,
        "task-not-found",
        "",
        {
            "another user's task at its version": (complete("{foreign}", if_match="1"),),
            "another user's task at another version": (complete("{foreign}", if_match="2"),),
            "a task deleted twice": (remove(), remove()),
            "a task restored twice": (restore(), restore()),
            "a task completed that was deleted": (create("a"), remove("$a"), complete("$a")),
        },
    ),
    *failing(
        3,
        422,
        "invalid-request",
        "/task/parent_id",
        {
            f"a sub-task of {what}": (create("a"), create(parent_id=parent))
            for what, parent in {
                "another user's task": "{foreign}",
                "another user's task in the trash": "{foreign trashed}",
                "an own task in the trash": "{trashed}",
                "an own list": "{own list}",
                "no task": "{missing}",
                "a name without the sign": "a",
                "a sign without a name": "$",
                "a name that no command has": "$b",
                "a name in another case": "$A",
                "a name of 65 letters": "$" + "a" * 65,
                "a name behind two signs": "$$a",
                "a name with a space behind": "$a ",
                "a name with a line end behind": "$a\n",
                "a name that is a lone surrogate": "$\ud800",
                "an index": "$0",
                "a number": 1,
                "an array": ["$a"],
            }.items()
        },
    ),
    *failing(
        3,
        422,
        "invalid-request",
        "/task/parent_id",
        {
            "a sub-task of itself": (create("a", parent_id="$a"),),
            "a tree of 11 levels": tree(11),
        },
    ),
    *failing(
        3,
        422,
        "invalid-request",
        "/changes/parent_id",
        {
            "a task under another user's": (update({"parent_id": "{foreign}"}),),
            "a new task under itself": (create("a"), update({"parent_id": "$a"}, "$a")),
            "a task under a name that no command has": (update({"parent_id": "$a"}),),
            "a task under its sub-task": (
                create("a", parent_id="{own}"),
                update({"parent_id": "$a"}),
            ),
        },
    ),
    *failing(
        3,
        422,
        "invalid-request",
        "/task/list_id",
        {
            "a task in another user's list": (create(list_id="{foreign list}"),),
            "a task in a list by the name of a task": (create("a"), create(list_id="$a")),
        },
    ),
    *failing(
        24,
        422,
        "invalid-request",
        "/task/title",
        {
            "a blank title": (create("a"), remove("$a"), create(title=" ")),
            "a title of a lone surrogate": (create(title="\ud800"),),
            "a title of 260,000 letters": (create(title="x" * 260_000),),
            "a title of null": (create(title=None),),
            "a task of nothing": ({"op": "create", "task": {}},),
        },
    ),
    *failing(
        24,
        422,
        "invalid-request",
        "/changes/labels/1",
        {"a label twice": (create("a"), update({"labels": ["a", "A"]}, "$a"))},
    ),
    *failing(
        24,
        422,
        "invalid-request",
        "/changes/labels",
        {"50,000 labels": (update({"labels": ["a"] * 50_000}),)},
    ),
    *failing(
        26,
        412,
        "precondition-failed",
        "",
        {
            f"a command {op} at the version {version}": (
                create(),
                {**WHOLE[op], "if_match": version},
            )
            for op in ("update", "complete", "delete", "restore")
            for version in OTHER_VERSIONS
        },
    ),
    *failing(
        26,
        412,
        "precondition-failed",
        "",
        {
            "a version before the last command": (
                update({"title": "y"}, if_match="1"),
                complete(if_match="1"),
            ),
        },
    ),
    *invalid(
        22,
        "/commands/0/id",
        {
            "a name of a later command": batch(complete("$a"), create("a")),
            "a name of another batch under a key": batch(
                complete("$shopping"), lines=["Idempotency-Key: hostile-forward"]
            ),
        },
    ),
    *invalid(
        22,
        "/commands/1/id",
        {
            "a name in another case": batch(create("a"), remove("$A")),
            "a name without its last letter": batch(create("ab"), remove("$a")),
            "a name without the sign": batch(create("a"), remove("a")),
            "a name with the sign twice": batch(create("a"), remove("$$a")),
            "a name in another form": batch(create("a"), remove("$a\u0308")),
        },
    ),
    *invalid(
        22,
        "/commands/2/ref",
        {
            "a ref twice": batch(create("a"), create("b"), create("a")),
            "a ref of 64 letters twice": batch(create("a" * 64), create(), create("a" * 64)),
        },
    ),
    *invalid(
        22,
        tuple(f"/commands/{n}/ref" for n in range(1, 51)),
        {"a ref 100 times": batch(*[create("a")] * 100)},
    ),
    *invalid(
        22,
        tuple(f"/commands/{n}" for n in range(50)),
        {
            f"100 times {shown(value)}": batch(*[value] * 100)
            for value in (None, True, 7, "create", [], [create()])
        },
    ),
    *invalid(
        22,
        tuple(f"/commands/{n}/op" for n in range(50)),
        {"100 commands of nothing": batch(*[{}] * 100)},
    ),
    *invalid(
        22,
        tuple(f"/m{n}" for n in range(50)),
        {
            "20,000 members of a batch": raw(
                json.dumps({"commands": [create()], **{f"m{n}": 1 for n in range(20_000)}}).encode()
            )
        },
    ),
    *invalid(
        22,
        tuple(f"/commands/0/m{n}" for n in range(50)),
        {"20,000 members of a command": batch({**create(), **{f"m{n}": 1 for n in range(20_000)}})},
    ),
    *invalid(
        22,
        tuple(f"/commands/0/task/m{n}" for n in range(50)),
        {"20,000 members of a task": batch(create(**{f"m{n}": 1 for n in range(20_000)}))},
    ),
    *invalid(
        22,
        ("/mode", "/dry_run", "/commands/0/op", "/commands/0/task", "/commands/1/id", "/x"),
        {
            "a fault of each kind": batch(
                {"op": "x", "task": 1}, remove("a"), mode=1, dry_run=1, x=1
            )
        },
    ),
    *invalid(
        22,
        "/commands",
        {
            **{
                f"a batch of {name}": raw(b'{"commands": %s}' % value)
                for name, value in NO_COMMANDS.items()
            },
            "a batch without commands": raw(b"{}"),
            "a batch without commands under a key": raw(b"{}", "Idempotency-Key: hostile-none"),
            "a dry run without commands": raw(b'{"dry_run": true}'),
        },
    ),
    *invalid(
        22,
        "/mode",
        {f"a batch in the mode {shown(value)}": batch(create(), mode=value) for value in NO_MODES},
    ),
    *invalid(
        22,
        "/dry_run",
        {
            f"a batch with dry_run {shown(value)}": batch(create(), dry_run=value)
            for value in NO_FLAGS
        },
    ),
    *refused(
        21,
        400,
        "malformed-request",
        {
            "a command that names its operation twice": raw(TWICE % (b', "op": "delete"', b"")),
            "a command that names a member twice": raw(
                TWICE % (b', "ref": "a", "r\\u0065f": 1', b"")
            ),
            "a batch with commands twice": raw(TWICE % (b"", b', "commands": []')),
            "a batch with a mode twice": raw(TWICE % (b"", b', "mode": "each", "mode": "each"')),
            "a task with a title twice": raw(NESTED % b'{"a": 1, "a": 1}'),
            "a batch with nesting of 33": raw(NESTED % (b"[" * 29 + b"]" * 29)),
            "a batch with nesting of 60,000": raw(NESTED % (b"[" * 60_000 + b"]" * 60_000)),
        },
    ),
    *invalid(
        21,
        "/commands/0/task/x",
        {"a batch with nesting of 32": raw(NESTED % (b"[" * 28 + b"]" * 28))},
    ),
    *invalid(
        23,
        "?dry_run",
        {
            "a dry run by a parameter": raw(padded(100, create()), target=f"{BATCH}?dry_run=true"),
            "a dry run by a parameter twice": raw(
                padded(100, create()), target=f"{BATCH}?dry_run=true&dry_run=true"
            ),
        },
    ),
    *invalid(
        23,
        "?mode",
        {"a mode by a parameter": raw(padded(100, create()), target=f"{BATCH}?mode=each")},
    ),
    *invalid(
        23,
        ("?x", "/commands"),
        {"a parameter of a batch without commands": raw(b"{}", target=f"{BATCH}?x=1")},
    ),
    *refused(
        22,
        415,
        "unsupported-media-type",
        {
            "a batch as a merge patch": message(
                "POST", BATCH, body=padded(100, create()), media=MERGE_PATCH
            ),
            "a batch as lines of JSON": message(
                "POST", BATCH, body=b"{}\n{}", media="application/jsonl"
            ),
        },
    ),
    *refused(
        22,
        413,
        "body-too-large",
        {
            "a batch of a byte over 256 KiB": raw(padded(LIMIT + 1, create())),
            "a batch of a byte over 256 KiB in chunks": raw(
                chunked(padded(LIMIT + 1, create())), bodies.CHUNKED
            ),
            "a batch over 256 KiB in small chunks": raw(
                chunked(*[b" " * 1024] * 257), bodies.CHUNKED
            ),
            "a batch of a byte over 256 KiB under a key": raw(
                padded(LIMIT + 1, create()), "Idempotency-Key: large-batch"
            ),
            "a batch of a byte over 256 KiB in chunks under a key": raw(
                chunked(padded(LIMIT + 1, create())), bodies.CHUNKED, "Idempotency-Key: large-batch"
            ),
            "a batch that is said to be over 256 KiB": raw(b"{}", f"Content-Length: {LIMIT + 1}"),
            "a batch that is said to be of 10 GB": raw(b"{}", "Content-Length: 10737418240"),
            "an answer over 1 MiB under a key": batch(
                create("a", description=EMOJI * 10_000),
                *[update({"title": "y"}, "$a")] * 30,
                lines=["Idempotency-Key: large-answer"],
            ),
        },
    ),
    *(
        case._replace(statuses=(201,))
        for case in accepted(
            22,
            200,
            {
                "a batch of 256 KiB": raw(padded(LIMIT, create())),
                "a batch of 256 KiB in chunks": raw(
                    chunked(
                        *[padded(LIMIT, create())[n : n + 65536] for n in range(0, LIMIT, 65536)]
                    ),
                    bodies.CHUNKED,
                ),
                "a batch of 256 KiB under a key": raw(
                    padded(LIMIT, create()), "Idempotency-Key: hostile-256"
                ),
                "a batch of 256 KiB in chunks under a key": raw(
                    chunked(padded(LIMIT, create())),
                    bodies.CHUNKED,
                    "Idempotency-Key: hostile-256-in-chunks",
                ),
                "a batch from an origin that may be let in": batch(
                    create(), lines=["Origin: https://app.example"]
                ),
                "a batch behind a prefix": batch(create(), lines=["X-Forwarded-Prefix: /todo"]),
                "a batch at any tag": batch(create(), lines=["If-Match: *"]),
                "a batch but for a tag": batch(create(), lines=['If-None-Match: "1"']),
                "a batch with a count": batch(create(), lines=["Prefer: count=exact"]),
                "a batch with another method in a header": batch(
                    create(), lines=["X-HTTP-Method-Override: DELETE"]
                ),
            },
        )
    ),
    *(run(22, f"a command {op} alone", (command,)) for op, command in WHOLE.items()),
    *(
        run(22, f"a command {op} with all its members", ({**command, **OPTIONAL[op]},))
        for op, command in WHOLE.items()
    ),
    *(
        run(26, f"a command {op} at its version in quotes", ({**WHOLE[op], "if_match": '"1"'},))
        for op in ("update", "complete", "delete", "restore")
    ),
    run(22, "a batch that says that it is atomic", (create(),), mode="atomic", dry_run=False),
    run(22, "a batch in which each command is by itself", (create(), remove()), mode="each"),
    run(22, "a dry run", (create(), remove(), restore()), dry_run=True),
    run(22, "a dry run, each", (create(), remove(), restore()), dry_run=True, mode="each"),
    run(
        22,
        "a dry run under a key",
        (create(), complete()),
        dry_run=True,
        lines=["Idempotency-Key: hostile-dry-run"],
    ),
    run(22, "a dry run of 100 creations", (create(),) * 100, dry_run=True),
    run(22, "100 completions", (complete(),) * 100),
    run(22, "a tree of 10 levels", tree(10)),
    run(
        22,
        "an answer over 1 MiB",
        (create("a", description=EMOJI * 10_000), *[update({"title": "y"}, "$a")] * 30),
    ),
    run(
        22,
        "one task in every operation",
        (
            create("a"),
            update({"parent_id": "{own}"}, "$a", if_match="1"),
            complete("$a", if_match='"2"'),
            complete("$a", completed=False),
            remove("$a", subtasks="delete"),
            restore("$a"),
        ),
    ),
    run(22, "a name of 64 letters", (create("a" * 64), complete("$" + "a" * 64))),
    run(22, "a name of every sign", (create("-_09azAZ"), complete("$-_09azAZ"))),
    run(22, "names of what an object has", (create("__proto__"), remove("$__proto__"))),
    run(22, "a title that looks like a name", (create("a", title="$a", description="$b"),)),
    run(22, "changes of nothing", (update({}),)),
    run(25, "a command on an id in upper case", (complete("{OWN}"),)),
    run(
        3,
        "a name of a command that failed",
        (create("a", title=""), complete("$a"), create(parent_id="$a"), create()),
        (422, 422, 422, 201),
        ("/commands/0/task/title", "/commands/1/id", "/commands/2/task/parent_id"),
        mode="each",
    ),
    run(
        3,
        "a dry run of what is another user's",
        (complete("{foreign}"), restore("{foreign trashed}"), create(list_id="{foreign list}")),
        (404, 404, 422),
        ("/commands/0", "/commands/1", "/commands/2/task/list_id"),
        mode="each",
        dry_run=True,
    ),
    run(
        3,
        "100 times what is another user's",
        (remove("{foreign}"),) * 100,
        (404,) * 100,
        tuple(f"/commands/{n}" for n in range(100)),
        mode="each",
    ),
    run(
        22,
        "100 commands with 51 faults each",
        (create(**{f"m{n}": 1 for n in range(51)}),) * 100,
        (422,) * 100,
        tuple(f"/commands/{n}/task/m{m}" for n in range(100) for m in range(50)),
        mode="each",
    ),
    *refused(
        26,
        412,
        "precondition-failed",
        {
            "a batch at a tag": batch(create(), lines=['If-Match: "1"']),
            "a batch but for anything": batch(create(), lines=["If-None-Match: *"]),
            "a dry run at a tag": batch(create(), dry_run=True, lines=['If-Match: "1"']),
        },
    ),
    *refused(
        26,
        400,
        "malformed-request",
        {
            **{
                f"a batch at {name}": batch(create(), lines=[f"If-Match: {tags}"])
                for name, tags in conditions.MALFORMED.items()
            },
            "a batch under two keys": batch(create(), lines=["Idempotency-Key: a,b"]),
            "a batch under an empty key": batch(create(), lines=["Idempotency-Key:"]),
            "a dry run under two keys": batch(
                create(), dry_run=True, lines=["Idempotency-Key: a,b"]
            ),
        },
    ),
    *refused(
        26,
        405,
        "method-not-allowed",
        {
            f"{method} of a batch": message(method, BATCH, body=b"{}")
            for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "QUERY")
        },
    ),
    *refused(
        7,
        404,
        "not-found",
        {
            "a batch with a slash behind": raw(b"{}", target=f"{BATCH}/"),
            "a batch in upper case": raw(b"{}", target="/api/tasks/ada/BATCH"),
            "a batch by an id": raw(b"{}", target=f"{BATCH}/{{own}}"),
            "a batch of tasks": raw(b"{}", target="/api/tasks/ada/tasks/batch"),
        },
    ),
    *accepted(9, 204, {"OPTIONS of a batch": message("OPTIONS", BATCH, token=None)}),
]
