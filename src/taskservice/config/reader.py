"""Reads settings from the environment and collects all errors."""

import logging
import unicodedata
from collections.abc import Mapping
from typing import Any

from taskservice.config.parsers import PARSERS

_CONTROLS = {"Cc", "Cf", "Zl", "Zp"}
"""Unicode categories of control and format characters, and of line separators."""

_log = logging.getLogger("taskservice")


def clean(value: str) -> str:
    """Return a setting without leading and trailing whitespace.

    Raises `ValueError` if it is in quotes, as some environment files leave
    them, contains control characters, or is not UTF-8.
    """
    text = value.strip()
    categories = {unicodedata.category(character) for character in text}
    if "Cs" in categories:
        raise ValueError("must be Unicode text")
    if categories & _CONTROLS:
        raise ValueError("must not contain control characters")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        raise ValueError("must not be in quotes: remove them")
    return text


class Reader:
    """Reads single settings of `environ` and collects their errors."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.errors: list[str] = []
        """Messages, each beginning with the setting's name."""

    def is_set(self, name: str) -> bool:
        """Tell whether the setting is present and not blank."""
        return bool(self._environ.get(name, "").strip())

    def value(self, name: str) -> Any:
        """Return the parsed setting, None if it is unset, blank or invalid."""
        if not self.is_set(name):
            return None
        try:
            return PARSERS[name](clean(self._environ[name]))
        except ValueError as error:
            self.errors.append(f"{name} {error}")
            return None

    def require(self, name: str) -> None:
        """Add an error if the setting is unset."""
        if not self.is_set(name):
            self.errors.append(f"{name} must be set")

    def require_one_of(self, one: str, other: str) -> None:
        """Add an error unless exactly one of the two is set."""
        count = sum(map(self.is_set, (one, other)))
        if count != 1:
            self.errors.append(f"{one} or {other} must be set{', not both' if count else ''}")

    def warn_of_whitespace(self, name: str) -> None:
        """Log a warning if the setting has whitespace around it: other programs may not trim it."""
        if (given := self._environ.get(name, "")) != given.strip():
            _log.warning("whitespace around setting removed", extra={"setting": name})
