"""The vocabulary: banned words stay out of the source and the documentation."""

import re
from collections.abc import Iterator

import pytest
from tests.processes import ROOT

BANNED = [
    r'(?<!")receipts?(?!")',  # In quotes, it is the former name of a table.
    *(r"patience", r"patient", r"told", r"tells of", r"hears?", r"heard"),
    *(r"whoever", r"anew", r"nobody", r"somebody", r"doors?", r"homes? for tasks"),
    *(r"looks after", r"of ours", r"what is"),
]
"""The words, as regular expressions. `docs/glossary.md` has the terms to use."""

HISTORY = (
    "docs/decisions/",
    "docs/_build/",
    "docs/changelog.md",
    *(
        f"src/taskservice/adapters/sql/migrations/versions/{name}"
        for name in ("0001_", "0002_", "0003_", "0004_", "0005_")
    ),
)
GENERATED = (".json", ".pyc")
ROOT_FILES = ("README.md", "CONTRIBUTING.md", "tox.ini", "setup.cfg")

_banned = re.compile(rf"\b(?:{'|'.join(BANNED)})\b", re.IGNORECASE)


def texts() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file that has to keep to the vocabulary."""
    folders = (ROOT / "src" / "taskservice", ROOT / "docs")
    files = [*(file for folder in folders for file in sorted(folder.rglob("*")))]
    for file in [*files, *(ROOT / name for name in ROOT_FILES)]:
        path = file.relative_to(ROOT).as_posix()
        if file.is_file() and not path.startswith(HISTORY) and not path.endswith(GENERATED):
            yield path, file.read_text()


def found(path: str, text: str) -> list[str]:
    """Return each banned word of a text, with its file and line."""
    return [
        f"{path}:{number}: {word}"
        for number, line in enumerate(text.splitlines(), 1)
        for word in _banned.findall(line)
    ]


def test_no_banned_word_is_used() -> None:
    """Each of these words has a replacement that a reader would search for."""
    assert [word for path, text in texts() for word in found(path, text)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is told\nto Whoever asks.", ["page.md:1: told", "page.md:2: Whoever"]),
        ("the receipts, and what is kept", ["page.md:1: receipts", "page.md:1: what is"]),
        ("outdoors, untold, whatever", []),
    ],
)
def test_a_banned_word_is_named_with_its_line(text: str, expected: list[str]) -> None:
    """Only whole words count, in any case."""
    assert found("page.md", text) == expected
