"""Batches that clients wish for: their commands, drawn at random, and as they are sent."""

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from tests.faults.commands import command_name
from tests.faults.history import Kind
from tests.faults.requests import MANY, KnownTasks, Request, draw_creation
from tests.faults.seen import TRASHED, Seen

KINDS: dict[Kind, int] = {
    "create": 5,
    "update": 3,
    "complete": 3,
    "delete": 2,
    "delete_tree": 1,
    "restore": 2,
}
MOST = 5
"""The most commands of a batch."""
OPERATIONS: Mapping[Kind, str] = {"delete_tree": "delete"}
"""The names of the kinds in a batch, where they have others."""

OF_EARLIER, BELOW_EARLIER = 0.3, 0.3
"""How often a command is for, or below, what an earlier one creates."""
AT_VERSION = 0.15
"""How often a command has the version that was seen as `if_match`."""
STALE = {"atomic": 0.02, "each": 0.4}
"""How often it has another one, by mode."""
ATOMIC, DRY, KEYED = 0.6, 0.15, 0.5
"""How often a batch is atomic, a dry run, and has a key."""


class Unused(NamedTuple):
    """Tasks, trash, and references to creations that no command of a batch is for yet."""

    mode: str
    tasks: list[Seen]
    trash: list[Seen]
    created: list[str]


def draw_batch(name: str, known: KnownTasks, random: Random) -> Request:
    """Return a batch, each command of which is for another task."""
    mode = "atomic" if random.random() < ATOMIC else "each"
    unused = Unused(mode, known.all(), known.all(TRASHED), [])
    has_room = len(unused.tasks) < MANY["task"]
    random.shuffle(unused.tasks)
    random.shuffle(unused.trash)
    commands = []
    for number in range(random.randint(2, MOST)):
        kind = random.choices(list(KINDS), list(KINDS.values()))[0]
        kind = kind if has_room or kind != "create" else "delete"
        request = Request(command_name(name, number), kind, known.user)
        commands.append(_drawn(request, unused, known, random))
    return Request(
        name,
        "batch",
        known.user,
        key=name if random.random() < KEYED else None,
        mode=mode,
        dry_run=random.random() < DRY,
        commands=tuple(commands),
    )


def _drawn(request: Request, unused: Unused, known: KnownTasks, random: Random) -> Request:
    """Return a command with what it is for. If there is nothing, it creates something."""
    may_follow = request.kind in {"update", "complete", "delete"} and unused.created
    if may_follow and random.random() < OF_EARLIER:
        return _filled(request._replace(task=unused.created.pop()), random)
    found = unused.trash if request.kind == "restore" else unused.tasks
    if request.kind == "create" or not found:
        return _creation(request._replace(kind="create"), unused, known, random)
    one = found.pop()
    drawn = random.random()
    if drawn < STALE[unused.mode]:
        request = request._replace(version=one.version + 1)
    elif drawn < STALE[unused.mode] + AT_VERSION:
        request = request._replace(version=one.version)
    return _filled(request._replace(task=one.task), random)


def _creation(request: Request, unused: Unused, known: KnownTasks, random: Random) -> Request:
    """Return a creation; the commands behind it may be for its task."""
    creation = draw_creation(request, "create", known, random)
    if unused.created and random.random() < BELOW_EARLIER:
        above = unused.created[-1]
        creation = creation._replace(parent_id=above, list_id=None, recurrence=None)
    unused.created.append(_reference(request.name))
    return creation


def _filled(request: Request, random: Random) -> Request:
    if request.kind == "update":
        return request._replace(title=request.name)
    if request.kind == "complete":
        return request._replace(completed=random.random() < 0.75)
    return request


def _reference(name: str) -> str:
    return f"${name.rpartition('.')[2]}"


def batch_in_json(request: Request, bodies: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a batch, with those of the single operations of its commands."""
    commands = [_command_in_json(one, bodies[one.name]) for one in request.commands]
    return {"mode": request.mode, "dry_run": bool(request.dry_run), "commands": commands}


def _command_in_json(command: Request, body: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"op": OPERATIONS.get(command.kind, command.kind)}
    match command.kind:
        case "create":
            return {**shown, "ref": _reference(command.name)[1:], "task": body}
        case "update":
            shown["changes"] = body
        case "delete_tree":
            shown["subtasks"] = "delete"
        case _:
            shown |= body
    matched = {} if command.version is None else {"if_match": f"{command.version}"}
    return {**shown, **matched, "id": command.task}
