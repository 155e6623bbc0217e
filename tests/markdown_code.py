"""Pages of the documentation, as a reader takes code from them."""

import re

from tests.processes import ROOT

DOCS = ROOT / "docs"

_begins_a_file = re.compile(r"# (\w+\.py)\n").match


def blocks(text: str, *languages: str) -> list[tuple[str, str]]:
    """Return the blocks of code in one of the languages, in order: language and code."""
    chosen = "|".join(languages)
    return re.findall(rf"^```({chosen})\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def code(text: str, language: str) -> list[str]:
    """Return the blocks of code in a language, in order."""
    return [block for _, block in blocks(text, language)]


def files(text: str) -> dict[str, str]:
    """Return the Python of a page by file: a block that begins with a file's name begins it."""
    found: dict[str, list[str]] = {}
    name = ""
    for block in code(text, "python"):
        if match := _begins_a_file(block):
            name = match[1]
        found.setdefault(name, []).append(block)
    return {name: "\n\n".join(parts) for name, parts in found.items()}
