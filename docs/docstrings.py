"""Sphinx extension for docstrings of plain prose, with names and code in single backticks."""

import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

_quoted = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_is_name = re.compile(r"[A-Za-z_][\w.]*").fullmatch
_is_class = re.compile(r"(\w+\.)*[A-Z]\w*[a-z]\w*(\.\w+)*").fullmatch
_is_drawn = re.compile(r"[├└]──").search
_IN_WITH = ("collections.abc.Iterator", "contextlib.AbstractContextManager")
_WRITTEN_BY_PYTHON = ("Alias for field number ", "Create new instance of ")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers."""
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("autodoc-process-signature", process_signature)
    return {"parallel_read_safe": True}


def process_docstring(
    _: Sphinx, kind: str, name: str, __: object, ___: object, lines: list[str]
) -> None:
    """Convert a docstring to reStructuredText; `lines` is changed in place."""
    written = "\n\n".join(_paragraphs("\n".join(lines)))
    where = f"In ``{name}``:\n\n" if kind == "module" else ""
    lines[:] = f"{where}{written}".split("\n")


def process_signature(
    _: Sphinx, __: str, ___: str, thing: object, ____: object, given: str, returned: str | None
) -> tuple[str, str | None] | None:
    """Hide the arguments of a protocol, and show what a `with` statement yields."""
    if getattr(thing, "_is_protocol", False):
        return "", None
    if returned and hasattr(thing, "__wrapped__"):
        return given, returned.replace(*_IN_WITH)
    return None


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(_WRITTEN_BY_PYTHON):
            continue
        if _is_drawn(paragraph):
            yield "::"
            yield re.sub("^", "    ", paragraph, flags=re.MULTILINE)
        else:
            yield _quoted.sub(_linked, paragraph)


def _linked(match: re.Match[str]) -> str:
    """Return a name as a link if it is documented, otherwise as code.

    Classes are searched in all modules, other names in the current one.
    """
    text = match[1].replace("\n", " ")
    if not _is_name(text):
        return f"``{text}``"
    return f":py:obj:`{'.' if _is_class(text) else ''}{text}`"
