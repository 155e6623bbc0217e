"""Whatever a parser is given, it returns a value or raises what it says that it raises."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fuzz.drawn import (
    forged,
    forged_tokens,
    pieces,
    queries,
    rules,
    states,
    stretched,
    tasks,
)

from taskservice.adapters.http.api import cursors, sync_tokens
from taskservice.adapters.http.protocol.etags import ETag, parse_etags
from taskservice.core.recurrence_rule import RULE_LIMIT, parse_rule, with_count
from taskservice.core.sync import SyncState
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.testing import ADA, BOB

numbers = st.integers(0, 2**63 - 1)


def cursor_behind(task: Task, query: TaskQuery) -> tuple[str, TaskQuery]:
    following = replace(query, after=query.sort.position(task))
    return cursors.encode(ADA, following), following


@given(tasks, queries)
def test_a_cursor_leads_where_it_says(task: Task, query: TaskQuery) -> None:
    """What is encoded for an owner is decoded, for that owner alone, to the same page."""
    cursor, following = cursor_behind(task, query)
    assert cursors.decode(cursor, ADA, query) == following
    with pytest.raises(cursors.BadCursor):
        cursors.decode(cursor, BOB, query)


@given(tasks, queries, st.data())
def test_a_cursor_has_one_spelling(task: Task, query: TaskQuery, data: st.DataObject) -> None:
    """A cursor of which any stretch is changed is refused."""
    cursor, _ = cursor_behind(task, query)
    altered = stretched(cursor, data, "ABab01-_=+/ \n\0é\ud800")
    assume(altered != cursor)
    with pytest.raises(cursors.BadCursor):
        cursors.decode(altered, ADA, query)


@given(st.text() | st.text("Aa0-_=W"), queries)
def test_no_text_is_a_cursor(text: str, query: TaskQuery) -> None:
    """Text that nobody encoded is refused."""
    with pytest.raises(cursors.BadCursor):
        cursors.decode(text, ADA, query)


@given(tasks, queries, st.data())
def test_a_forged_cursor_is_a_place_in_the_list_or_refused(
    task: Task, query: TaskQuery, data: st.DataObject
) -> None:
    """Whoever computes the digest reaches only places that can be compared with a task's."""
    try:
        following = cursors.decode(data.draw(forged(query)), ADA, query)
    except cursors.BadCursor:
        return
    following.page([task])


@given(numbers, st.text(), st.data())
def test_a_cursor_with_a_number_has_one_spelling(
    number: int, name: str, data: st.DataObject
) -> None:
    """It is decoded for its owner and its list alone, and refused if a stretch is changed."""
    cursor = cursors.encode_number(ADA, name, number)
    assert re.fullmatch(cursors.PATTERN, cursor)
    assert cursors.decode_number(cursor, ADA, name) == number
    altered = stretched(cursor, data, "ABab01-_=+/ \n\0é\ud800")
    assume(altered != cursor)
    for one, owner, of in ((cursor, BOB, name), (cursor, ADA, f"{name}x"), (altered, ADA, name)):
        with pytest.raises(cursors.BadCursor):
            cursors.decode_number(one, owner, of)


@given(st.text() | st.text("Aa0-_=W") | st.just(cursors.encode_number(ADA, "x", 2**63)))
def test_no_text_is_a_cursor_with_a_number(text: str) -> None:
    """Text that nobody encoded is refused, and a number that no log can have."""
    with pytest.raises(cursors.BadCursor):
        cursors.decode_number(text, ADA, "x")


@given(states.filter(lambda state: max(state.position.sequence, state.seen.sequence) < 2**63))
def test_a_sync_token_stands_for_its_state(state: SyncState) -> None:
    """What is encoded for an owner is decoded, for that owner alone, to the same state."""
    token = sync_tokens.encode(ADA, state)
    assert re.fullmatch(sync_tokens.PATTERN, token)
    assert sync_tokens.decode(token, ADA) == state
    with pytest.raises(sync_tokens.BadToken):
        sync_tokens.decode(token, BOB)


@given(states, st.data())
def test_a_sync_token_has_one_spelling(state: SyncState, data: st.DataObject) -> None:
    """A token of which any stretch is changed is refused."""
    token = sync_tokens.encode(ADA, state)
    altered = stretched(token, data, "ABab01-_=+/ \n\0é\ud800")
    assume(altered != token)
    with pytest.raises(sync_tokens.BadToken):
        sync_tokens.decode(altered, ADA)


@given(st.text() | st.text("Aa0-_=W"))
def test_no_text_is_a_sync_token(text: str) -> None:
    """Text that nobody encoded is refused."""
    with pytest.raises(sync_tokens.BadToken):
        sync_tokens.decode(text, ADA)


@given(forged_tokens)
def test_a_forged_sync_token_is_the_one_of_its_state_or_refused(token: str) -> None:
    """Whoever computes the digest reaches only numbers that a log can have."""
    try:
        state = sync_tokens.decode(token, ADA)
    except sync_tokens.BadToken:
        return
    assert sync_tokens.encode(ADA, state) == token
    assert max(state.position.sequence, state.seen.sequence) < 2**63


def _fit(text: str) -> str:
    """Return `text` without what no tag may hold."""
    return text.translate({ord(character): None for character in ' "\xa0'})


tags = st.builds(ETag, st.booleans(), pieces("1", "*", ",", "\\").map(_fit))


@given(st.lists(tags, min_size=1), st.text(" \t,"), st.text(" \t,").map(lambda text: f"{text},"))
def test_a_list_of_tags_is_read_as_it_was_written(
    written: list[ETag], around: str, between: str
) -> None:
    """Tags that are written as a list are read again, whatever space and commas are between."""
    value = between.join(printed(tag) for tag in written)
    assert list(parse_etags(f"{around}{value}{around}")) == written


@given(pieces('W/"1"', '"', ",", " ", "W/", "*", "\t"))
def test_what_is_read_as_tags_can_be_written_and_read_again(value: str) -> None:
    """A list of tags that is taken means the same when it is written in the plainest way."""
    try:
        read = list(parse_etags(value))
    except ValueError:
        return
    assert read
    assert list(parse_etags(", ".join(printed(tag) for tag in read))) == read


def printed(tag: ETag) -> str:
    return f'{"W/" * tag.weak}"{tag.opaque}"'


@given(rules | st.text())
def test_what_is_read_as_a_rule_is_one_with_another_count_too(text: str) -> None:
    """Any other text is a `ValueError`. A successor has the text with the COUNT that is left."""
    try:
        rule = parse_rule(text)
    except ValueError:
        return
    assert 0 < len(text) <= RULE_LIMIT
    fewer = rule.count and 1
    assert parse_rule(with_count(text, fewer)) == replace(rule, count=fewer)
