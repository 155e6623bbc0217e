"""Bodies of moves, and options of deletions, that are none."""

import json
from collections.abc import Iterator, Mapping

from tests.hostile.case import Case, invalid
from tests.hostile.messages import OWN, OWN_LIST, POSITION, delete, move

TARGETS = {"a task": OWN + POSITION, "a list": OWN_LIST + POSITION}

ONE, OTHER = ({member: "{missing}"} for member in ("after", "before"))
LAST = {"place": "last"}
WITHOUT_ONE_MEMBER = [
    ("/after", {}),
    ("/position", {"position": "01932d0e5f0acc31"}),
    ("/position", {**LAST, "position": "a"}),
    ("/before", {**ONE, **OTHER}),
    ("/place", {**ONE, **LAST}),
    ("/place", {**LAST, **OTHER}),
    ("/before", {**ONE, **OTHER, **LAST}),
]
"""Members that are not exactly one of those of a move, and where the fault is."""

NO_PLACES: tuple[object, ...] = (
    None,
    0,
    True,
    [],
    {},
    ["last"],
    "",
    "Last",
    "LAST",
    " last",
    "last\n",
    "end",
    "0",
)
NO_NEIGHBORS: tuple[object, ...] = (
    *(None, 0, 1, True, [], {}),
    *(["{missing}"], "", "first", "inbox", "{own}x", "{own without dashes}"),
    *("{missing}", "{foreign}", "{foreign list}"),
    *("00000000-0000-0000-0000-000000000000", "9b2d1f5e-3c4a-4f6b-8a7d-0123456789ab"),
)
ITSELF = {"a task": ("{own}", "{own list}"), "a list": ("{own list}", "{own}")}
"""Of what is moved the own id, and that of an own entity of the other type."""


def moves() -> Iterator[Case]:
    """Yield moves of a task and of a list that are refused for their values."""
    for what, target in TARGETS.items():
        for at, members in WITHOUT_ONE_MEMBER:
            body = json.dumps(members)
            request = move(body.encode(), target=target)
            yield from invalid(22, at, {f"a move of {what} by {body}": request})
        values = {
            "place": NO_PLACES,
            "after": (*NO_NEIGHBORS, *ITSELF[what]),
            "before": (*NO_NEIGHBORS, *ITSELF[what]),
        }
        for member, wrong in values.items():
            yield from invalid(24, f"/{member}", _with_values(what, target, member, wrong))


def _with_values(
    what: str, target: str, member: str, values: tuple[object, ...]
) -> Mapping[str, bytes]:
    bodies = (json.dumps({member: value}) for value in values)
    return {f"a move of {what} by {body}": move(body.encode(), target=target) for body in bodies}


def deletions(target: str, name: str, word: str, other: str) -> Iterator[Case]:
    """Yield deletions whose option has none of its words, or is one of something else."""
    wrong = ("", "0", "true", "keep", "*", word.upper(), f"{word}%20", f"%20{word}", f"{word}%00")
    for value in (*wrong, f"{word}&{name}={word}", f"{word},{word}", "%FF"):
        request = delete(target=f"{target}?{name}={value}")
        yield from invalid(23, f"?{name}", {f"a deletion with {name}={value}": request})
    for option in (other, name.capitalize()):
        request = delete(target=f"{target}?{option}={word}")
        yield from invalid(23, f"?{option}", {f"a deletion of {target} with {option}": request})


CASES = [
    *moves(),
    *deletions(OWN, "subtasks", "delete", "tasks"),
    *deletions(OWN_LIST, "tasks", "inbox", "subtasks"),
]
