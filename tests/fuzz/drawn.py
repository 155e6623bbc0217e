"""What the parsers are fuzzed with: what comes close to being right, and misses it."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC
from struct import pack
from typing import Any
from urllib.parse import quote
from uuid import UUID

from hypothesis import strategies as st

from taskservice.adapters.http.api import cursors, sync_tokens
from taskservice.core.changes import Position
from taskservice.core.fields import Field, fields_of
from taskservice.core.filters import filters_of
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.kinds import Timestamp
from taskservice.core.moves import PLACES
from taskservice.core.query import PAGE_LIMIT
from taskservice.core.recurrence_rule import RecurrenceText
from taskservice.core.sync import FIRST, SyncState
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import ENTITY_TYPES
from taskservice.testing import ADA
from taskservice.testing.contract.strategies import (
    any_values,
    new_entities,
    queries_of,
    strategy,
)

latin = st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=5)


def pieces(*known: str) -> st.SearchStrategy[str]:
    """Draw what a header can hold, put together of what is `known` and of anything else."""
    return st.lists(st.sampled_from(known) | latin, max_size=8).map("".join)


moments = any_values(Timestamp())
tasks = st.builds(
    lambda now, new: Task.create(ADA, now, TimeOrderedIds(), new),
    moments,
    new_entities(Task, any_values),
)
queries = queries_of(TaskQuery, any_values, PAGE_LIMIT)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.uuids().map(str)
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()).map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Anything that JSON can hold."""

_hostile = st.sampled_from(["\0", "\ud800", "", " ", "x" * 256])


def fit(field: Field) -> st.SearchStrategy[Any]:
    """Draw JSON values that the field may have."""
    return strategy(field, any_values).map(field.to_json)


def near(field: Field) -> st.SearchStrategy[Any]:
    """Draw JSON values that the field may have, and others."""
    return fit(field) | _hostile | values


def forged(query: TaskQuery) -> st.SearchStrategy[str]:
    """Draw a cursor of Ada's list that is made by hand: its digest is right, its position may not.

    Whoever has read the code can make one; there is no secret in it.
    """
    fields = [fields_of(Task)[name] for name in query.sort.fields]
    positions: st.SearchStrategy[Any] = (
        st.tuples(*map(fit, fields))
        | st.tuples(*map(near, fields))
        | st.lists(near(fields[-1]), max_size=3)
    )
    return st.builds(encoded, positions, st.sampled_from([True] * 4 + [False])).map(
        lambda position: cursors.with_digest(ADA, query, position)
    )


def forged_token(content: bytes) -> str:
    """Return a sync token of Ada's that is made by hand, with a right digest."""
    digest = sync_tokens._digest(ADA, content)
    return urlsafe_b64encode(content + digest).rstrip(b"=").decode()


_numbers = st.integers(0, 3) | st.sampled_from([2**31, 2**63 - 1, 2**63, 2**64 - 1])
positions = st.builds(Position, _numbers, _numbers | st.integers(0, 2**64 - 1))
states = st.builds(SyncState, positions, positions, st.none(), st.just(FIRST)) | st.builds(
    SyncState,
    positions,
    positions,
    st.sampled_from(ENTITY_TYPES),
    st.sampled_from([FIRST, UUID(int=2**128 - 1)]) | st.uuids(),
)
"""What a sync token may stand for, as if made by hand: hardly any is of a log that there is."""
forged_tokens = (
    st.builds(sync_tokens.encode, st.just(ADA), states)
    | st.binary(max_size=70).map(forged_token)
    | st.builds(pack, st.just(">BBQQ16s"), *[st.integers(0, 3)] * 4, st.binary()).map(forged_token)
)


def encoded(position: Any, is_compact: bool) -> bytes:
    """Return the JSON of a position; a cursor that the service encodes has the compact one."""
    separators = (",", ":") if is_compact else None
    written = json.dumps(position, separators=separators, ensure_ascii=not is_compact)
    return written.encode(errors="surrogatepass")


def stretched(valid: str, data: st.DataObject, alphabet: str) -> str:
    """Return `valid` with a stretch of it drawn anew."""
    start = data.draw(st.integers(0, len(valid)))
    end = data.draw(st.integers(start, min(len(valid), start + 3)))
    return valid[:start] + data.draw(st.text(alphabet, max_size=3)) + valid[end:]


_PARAMETERS = [
    *(one.parameter for one in filters_of(TaskQuery).values()),
    *("limit", "sort", "cursor", "count", "since"),
]
_WORDS = [
    *("true", "1", "200", "milk", "title", "-created_at", "-", "%", "_", "0", "\0", "\ud800", " "),
    *("position", "inbox", "none", "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"),
    *("2026-02-09T10:00:00Z", "1970-01-01T00:00:00+14:00", "9998-12-31T23:59:60.000000-23:59"),
]
_octets = st.sampled_from(_WORDS).map(lambda word: word.encode(errors="surrogatepass"))
_pairs = st.tuples(
    st.sampled_from(_PARAMETERS) | st.text(max_size=5),
    (_octets | st.binary(max_size=5)).map(lambda octets: quote(octets, safe="+&=;")),
)
query_strings = (
    st.lists(_pairs.map(lambda pair: f"{quote(pair[0])}={pair[1]}"), max_size=6).map("&".join)
    | latin
)
"""The part of an address behind the question mark, as a server hands it on."""

_FREQUENCIES = ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=HOURLY"]
_PARTS = [
    *(
        "INTERVAL=2",
        "COUNT=30",
        "COUNT=999",
        "UNTIL=20300228T090000Z",
        "BYMONTH=2,12",
        "BYMONTHDAY=-1,30",
    ),
    *("BYDAY=MO,SU", "BYDAY=-1FR", "BYSETPOS=1,-2", "WKST=SU"),
]
_NO_PARTS = [
    *("COUNT=٣", "UNTIL=20300230", "BYYEARDAY=1", "BYEASTER=0", "freq=daily", "RRULE:"),
    *("", ";", "=", ",", " ", "\n", "\0", "\ud800", "9" * 300),
]
_joined = st.builds(
    lambda frequency, parts: ";".join([frequency, *parts]),
    st.sampled_from(_FREQUENCIES),
    st.lists(st.sampled_from(_PARTS), max_size=3, unique=True),
)
rules = (
    _joined
    | st.builds("{};{}".format, _joined, st.sampled_from(_PARTS + _NO_PARTS))
    | pieces(*_FREQUENCIES, *_PARTS, *_NO_PARTS, ";")
    | st.from_regex(RecurrenceText().json_schema()["pattern"])
)
"""Texts that come close to being a recurrence rule, and rules."""

_SETTABLE = fields_of(NewTask)
_near: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {name: near(one) for name, one in _SETTABLE.items() if one.is_required},
    optional={name: near(one) for name, one in _SETTABLE.items() if not one.is_required},
)
_ids: st.SearchStrategy[Any] = st.uuids().map(str) | _hostile | values
_moves = st.dictionaries(
    st.sampled_from(["after", "before", "place", "position"]),
    _ids | st.sampled_from(PLACES),
    max_size=2,
)
_of_lists = st.fixed_dictionaries({"name": near(fields_of(NewTaskList)["name"])})
_zones = st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Kiritimati", "CEST", "", None])
_dates = st.sampled_from(
    [
        *("1970-01-01", "2024-02-29", "2026-10-25", "9998-12-31"),
        *("1970-01-01T00:00:00", "2026-03-29T02:30:00", "9998-12-31T23:59:59", None),
    ]
)
_recurring: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"title": st.just("x"), "due": _dates, "recurrence": rules},
    optional={
        "start": _dates,
        "occurrence": _dates,
        "time_zone": _zones,
        "repeats_from": st.sampled_from(["schedule", "completion"]),
        "status": st.sampled_from(["needs-action", "completed", "cancelled"]),
    },
)
_completions = st.fixed_dictionaries({"completed": st.booleans()}, optional={"time_zone": _zones})
_refs = st.sampled_from(["a", "b", "a" * 64, "__proto__"])
_task_ids = _refs.map("${}".format) | _ids
_versions = st.sampled_from(["1", '"1"', '"2"', "9" * 10, "0", 'W/"1"', 1, None])
_members: dict[str, st.SearchStrategy[Any]] = {
    "op": st.sampled_from(["create", "update", "complete", "delete", "restore", "undo"]),
    "ref": _refs | _hostile,
    "id": _task_ids,
    "task": _near | _recurring,
    "changes": _near | values,
    "completed": st.booleans() | values,
    "time_zone": _zones,
    "subtasks": st.sampled_from(["delete", "", None]),
    "if_match": _versions,
}
_commands: st.SearchStrategy[Any] = (
    st.fixed_dictionaries({"op": st.just("create"), "task": _near}, optional={"ref": _refs})
    | st.fixed_dictionaries(
        {"op": st.just("update"), "id": _refs.map("${}".format), "changes": _recurring}
    )
    | st.fixed_dictionaries(
        {"op": st.sampled_from(["complete", "delete", "restore"]), "id": _task_ids},
        optional={"if_match": _versions},
    )
    | st.fixed_dictionaries({}, optional=_members)
    | values
)
batches = st.fixed_dictionaries(
    {"commands": st.lists(_commands, max_size=5)},
    optional={"mode": st.sampled_from(["atomic", "each", "", None]), "dry_run": st.booleans()},
)
"""Batches of which some commands fit one another."""

_labels = near(fields_of(NewTask)["labels"]) | _hostile
_renamings = st.fixed_dictionaries(
    {"label": _labels | st.text(), "new": _labels | st.text()},
    optional={"limit": st.integers() | _hostile},
)
bodies = _near | _recurring | _completions | _moves | _of_lists | batches | _renamings | values
media_types = pieces(
    *("application/json", "application/merge-patch+json", "text/plain", ";", " ", "charset"),
    *("=", "utf-8", '"', "utf-16", ","),
)
