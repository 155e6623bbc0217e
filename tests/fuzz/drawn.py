"""What the parsers are fuzzed with: what comes close to being right, and misses it."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from taskservice.adapters.http.api import cursors
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.query import PAGE_LIMIT, Sort, TaskQuery, sort_fields
from taskservice.core.task import NewTask, Task
from taskservice.testing import ADA

latin = st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=5)


def pieces(*known: str) -> st.SearchStrategy[str]:
    """Draw what a header can hold, put together of what is `known` and of anything else."""
    return st.lists(st.sampled_from(known) | latin, max_size=8).map("".join)


titles = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), max_size=255).filter(
    str.strip
)
moments = st.datetimes(datetime(1970, 1, 2), datetime(9998, 1, 1), timezones=st.just(UTC))
tasks = st.builds(
    lambda now, title: Task.create(ADA, now, TimeOrderedIds(), NewTask(title=title)),
    moments,
    titles,
)
queries = st.builds(
    TaskQuery,
    completed=st.none() | st.booleans(),
    text=st.none() | titles,
    created_after=st.none() | moments,
    updated_before=st.none() | moments,
    sort=st.builds(Sort, field=st.sampled_from(sort_fields(Task)), descending=st.booleans()),
    limit=st.integers(1, PAGE_LIMIT),
    with_total=st.booleans(),
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | titles
    | st.uuids().map(str)
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()).map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Anything that JSON can hold."""

_BEFORE_THE_ID: dict[str, st.SearchStrategy[Any]] = {
    "created_at": values,
    "updated_at": st.datetimes(timezones=st.none() | st.timezones()).map(str),
    "title": st.sampled_from(["\0", "", " ", "x" * 256]) | titles,
}


def forged(query: TaskQuery) -> st.SearchStrategy[str]:
    """Draw a cursor of Ada's list that is made by hand: its digest is right, its position may not.

    Whoever has read the code can make one; there is no secret in it.
    """
    ids = st.uuids().map(str)
    positions: st.SearchStrategy[Any] = (
        st.tuples(_BEFORE_THE_ID[query.sort.field], ids)
        | st.tuples(values, ids)
        | st.lists(values | ids, max_size=3)
    )
    return positions.map(
        lambda position: cursors.with_digest(ADA, query, json.dumps(position).encode())
    )


def stretched(valid: str, data: st.DataObject, alphabet: str) -> str:
    """Return `valid` with a stretch of it drawn anew."""
    start = data.draw(st.integers(0, len(valid)))
    end = data.draw(st.integers(start, min(len(valid), start + 3)))
    return valid[:start] + data.draw(st.text(alphabet, max_size=3)) + valid[end:]


_PARAMETERS = [
    *("completed", "limit", "q", "sort", "cursor", "count"),
    *("created_after", "created_before", "updated_after", "updated_before"),
]
_WORDS = [
    *("true", "1", "200", "milk", "title", "-created_at", "-", "%", "_", "0", "\0", "\ud800", " "),
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

_texts = st.sampled_from(["\0", "\ud800", " ", "x" * 256]) | titles | values
_near: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"title": st.just("Buy milk") | _texts},
    optional={"description": _texts, "completed": st.booleans() | values},
)
bodies = _near | values
media_types = pieces(
    *("application/json", "application/merge-patch+json", "text/plain", ";", " ", "charset"),
    *("=", "utf-8", '"', "utf-16", ","),
)
