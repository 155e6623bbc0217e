"""Validation of single values, at the limits."""

import re
import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskservice.core.fields import fields_of
from taskservice.core.task import NewTask
from taskservice.core.validation import LINE_PATTERN, TEXT_PATTERN, is_owner

check_title = fields_of(NewTask)["title"].check
check_description = fields_of(NewTask)["description"].check

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \t\n\x0b\x85"))


@pytest.mark.parametrize(
    "title", ["x", "x" * 255, "😀" * 255, "  x  ", "\u0085x", "\x7f", "e\u0301", "<b>&amp;</b>"]
)
def test_a_title_is_up_to_255_code_points(title: str) -> None:
    """Any text of 1 to 255 code points that is not blank is a title."""
    check_title(title)


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("", "blank"),
        (" \u2003\u00a0", "blank"),
        ("x" * 256, "at most 255"),
        ("😀" * 256, "at most 255"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\tb", "control"),
        ("a\x1fb", "control"),
        ("a\ud800b", "surrogate"),
        ("a\udfffb", "surrogate"),
    ],
)
def test_an_invalid_title_is_refused_with_the_reason(title: str, reason: str) -> None:
    """The message names the broken rule."""
    with pytest.raises(ValueError, match=reason):
        check_title(title)


def test_blank_is_what_unicode_calls_white_space() -> None:
    """Exactly the white space of Unicode, for the check and for the pattern of the document."""
    for point in range(0x20, sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character) != "Cs" and character.isspace() == is_title(character):
            pytest.fail(f"U+{point:04X}")


def is_title(text: str) -> bool:
    try:
        check_title(text)
    except ValueError:
        assert not re.search(LINE_PATTERN, text)
        return False
    assert re.search(LINE_PATTERN, text)
    return True


@pytest.mark.parametrize("description", [None, "", " ", "a\r\n\tb", "😀" * 10_000])
def test_a_description_is_up_to_10000_code_points(description: str | None) -> None:
    """None, the empty text and several lines are valid."""
    check_description(description)


@pytest.mark.parametrize("description", ["x" * 10_001, "\0", "\x0b", "\x1b[31m", "\udc00"])
def test_an_invalid_description_is_refused(description: str) -> None:
    """A description that is too long, or not text, is refused."""
    with pytest.raises(ValueError, match="must"):
        check_description(description)


@pytest.mark.parametrize("name", ["ada", "auth0|5f7c", "A.b_c:d@e~f+g=h-i", "...", "x" * 128])
def test_an_owner_is_an_opaque_name(name: str) -> None:
    """1 to 128 of the allowed characters name an owner."""
    assert is_owner(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "ada\n", "é", "a/b", "a%", "x" * 129])
def test_an_invalid_owner_name(name: str) -> None:
    """An owner name is not empty, too long or a dot segment, and has no other characters."""
    assert not is_owner(name)


@pytest.mark.parametrize(
    ("check", "pattern"), [(check_title, LINE_PATTERN), (check_description, TEXT_PATTERN)]
)
@given(text=texts)
def test_the_patterns_match_valid_text(
    check: Callable[[str], None], pattern: str, text: str
) -> None:
    """A pattern of the document matches exactly the valid texts, of any length."""
    try:
        check(text)
    except ValueError:
        assert not re.fullmatch(pattern, text)
    else:
        assert re.fullmatch(pattern, text)
