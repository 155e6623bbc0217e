"""Reading settings: one habit for all of them, and every fault kept for one message."""

import logging
import unicodedata
from collections.abc import Mapping
from typing import Any

from taskservice.config.parsers import PARSERS

_CONTROLS = {"Cc", "Cf", "Zl", "Zp"}
"""Unicode's categories of what cannot be seen: control and format characters, line separators."""

_log = logging.getLogger("taskservice")


def clean(value: str) -> str:
    """Return a setting without white space and line ends at either side.

    Raises `ValueError` where it is in quotes, as some environment files leave
    them, or holds what no setting holds: control characters, or bytes that
    are not UTF-8.
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
    """Reads single settings of `environ`, and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []
        """What is wrong, each beginning with the setting's name."""

    def is_set(self, name: str) -> bool:
        """Tell whether the setting holds more than white space."""
        return bool(self._environ.get(name, "").strip())

    def value(self, name: str) -> Any:
        """Return the parsed setting, None where it is unset, empty or wrong."""
        if not self.is_set(name):
            return None
        try:
            return PARSERS[name](clean(self._environ[name]))
        except ValueError as error:
            self.faults.append(f"{name} {error}")
            return None

    def require(self, name: str) -> None:
        """Note a fault where the setting is unset."""
        if not self.is_set(name):
            self.faults.append(f"{name} must be set")

    def require_one_of(self, one: str, other: str) -> None:
        """Note a fault unless one of the two is set, and not both."""
        count = sum(map(self.is_set, (one, other)))
        if count != 1:
            self.faults.append(f"{one} or {other} must be set{', not both' if count else ''}")

    def warn_of_trimming(self, name: str) -> None:
        """Log where the setting has white space around it, as other readers may not trim it."""
        if (given := self._environ.get(name, "")) != given.strip():
            _log.warning("whitespace around setting removed", extra={"setting": name})
