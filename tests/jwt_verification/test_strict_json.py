"""JSON is taken in one reading only, and whatever has several is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskservice.strict_json import MalformedJson, loads


def nested(depth: int, inner: str = "") -> bytes:
    return ("[" * depth + inner + "]" * depth).encode()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"null", None),
        (b' \t\r\n{"a": [true, -0.5e1, 7]} \n', {"a": [True, -5.0, 7]}),
        ('"žluťoučký 🐎"'.encode(), "žluťoučký 🐎"),
        (b'"\\u0000\\ud800"', "\x00\ud800"),
        (b"1234567890123456789", 1234567890123456789),
        (b"-1234567890123456789", -1234567890123456789),
        (b"1e308", 1e308),
        (b'[{"a": 1}, {"a": 1}]', [{"a": 1}, {"a": 1}]),
        (b'"\xef\xbb\xbf"', "\ufeff"),
    ],
)
def test_json_is_taken(data: bytes, value: object) -> None:
    """What RFC 8259 defines is read as it defines it."""
    assert loads(data) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'"\xff"', "not UTF-8"),
        (b'"\xc0\xaf"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "line 1, column 2"),
        (b"NaN", "NaN or Infinity"),
        (b"[-Infinity]", "NaN or Infinity"),
        (b'{"a": Infinity}', "NaN or Infinity"),
        (b"1e400", "range of a double"),
        (b"-1e400", "range of a double"),
        (b"9" * 400 + b".0", "range of a double"),
        (b"12345678901234567890", "over 19 digits"),
        (b"-12345678901234567890", "over 19 digits"),
        (b"1" + b"0" * 60_000, "over 19 digits"),
        (b'{"a": 1, "a": 1}', "duplicate name"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate name"),
        (b'[{"x": {"a": 1, "b": 2, "a": 3}}]', "duplicate name"),
        (b'{"a": 1', "line 1, column 8"),
        (b'"abc', "line 1, column 1"),
        (b"{} {}", "line 1, column 4"),
        (b"{}\n x", "line 2, column 2"),
        (b"{'a': 1}", "line 1, column 2"),
        (b"[1,]", "line 1, column"),
        (b'"\x00"', "line 1, column 2"),
        (b'"\\x"', "line 1, column"),
        (b"01", "line 1, column 2"),
        ("\u0661".encode(), "line 1, column 1"),
        ("\u00a0{}".encode(), "line 1, column 1"),
    ],
)
def test_what_readers_differ_on_is_refused(data: bytes, reason: str) -> None:
    """What is not JSON, or is read in several ways, is refused for that reason."""
    with pytest.raises(MalformedJson, match=reason):
        loads(data)


def test_nesting_ends_at_32() -> None:
    """32 containers within one another are taken, of either kind; 33 are not."""
    objects = b'{"a":' * 32 + b"[" + b"]" + b"}" * 32
    for data in (nested(32), b"[[]," + nested(31) + b"]", b"[" + b"[]," * 50 + nested(31) + b"]"):
        assert loads(data) == json.loads(data)
    for data in (nested(33), objects, nested(32, "{}"), b"[0," + nested(32) + b"]"):
        with pytest.raises(MalformedJson, match="nested deeper than 32"):
            loads(data)


def test_nesting_counts_only_what_is_open() -> None:
    """Any number of containers beside one another, and any brackets in strings, are taken."""
    value = {"wide": [[]] * 100, "text": '[{"' * 100 + "\\", "more": [{}] * 100}
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "data", [b"[" * 65536, b'{"a":' * 13000, b"[" * 65536 + b"x", nested(30_000)]
)
def test_deep_nesting_is_refused_before_it_recurses(data: bytes) -> None:
    """A body of brackets is refused for its depth, never with a `RecursionError`."""
    with pytest.raises(MalformedJson, match="nested deeper than 32"):
        loads(data)


def test_many_quotes_take_linear_time() -> None:
    """Brackets and quotes that never close are refused at once: the pattern does not go back."""
    with pytest.raises(MalformedJson, match="line 1, column"):
        loads(b"[]" * 40 + b'"' + b'\\"' * 4_000_000)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**19) + 1, 10**19 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(json_values)
def test_every_value_survives(value: object) -> None:
    """What is written as JSON is read back equal."""
    assert loads(json.dumps(value).encode()) == value


@given(
    st.binary() | st.text().map(str.encode) | st.text('[]{}",:0123456789-.eE \\').map(str.encode)
)
def test_nothing_but_a_value_or_a_refusal(data: bytes) -> None:
    """Any bytes are a value that the standard library reads too, or `MalformedJson`."""
    try:
        value = loads(data)
    except MalformedJson:
        return
    assert value == json.loads(data)


@given(st.text(st.characters(min_codepoint=0x100, exclude_categories=["Cs"]), min_size=1))
def test_a_reason_holds_nothing_of_the_content(text: str) -> None:
    """No reason repeats any of what was sent."""
    for data in (f'{{"{text}": 1, "{text}": 2}}', text, f'"\\{text}"', f'["{text}"'):
        with pytest.raises(MalformedJson) as refusal:
            loads(data.encode())
        assert str(refusal.value).isascii()


def test_what_was_closed_makes_no_room() -> None:
    """Nesting is counted from where it is, however much was opened and closed before."""
    with pytest.raises(MalformedJson, match="nested deeper than 32"):
        loads(b"[" + b"[]," * 40 + b"[" * 32 + b"]" * 33)
    assert len(loads(b"[" + b"[]," * 40 + b"[" * 31 + b"]" * 32)) == 41
