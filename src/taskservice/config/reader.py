"""Reading settings: one after the other, with every fault kept for one message."""

from collections.abc import Mapping
from typing import Any

from taskservice.config.parsers import PARSERS


class Reader:
    """Reads single settings of `environ`, and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []
        """What is wrong, each beginning with the setting's name."""

    def value(self, name: str) -> Any:
        """Return the parsed setting, None where it is unset, empty or wrong."""
        if not (given := self._environ.get(name)):
            return None
        try:
            return PARSERS[name](given)
        except ValueError as error:
            self.faults.append(f"{name} {error}")
            return None

    def require(self, name: str) -> None:
        """Note a fault where the setting is unset."""
        if not self._environ.get(name):
            self.faults.append(f"{name} must be set")

    def require_one_of(self, one: str, other: str) -> None:
        """Note a fault unless one of the two is set, and not both."""
        count = sum(bool(self._environ.get(name)) for name in (one, other))
        if count != 1:
            self.faults.append(f"{one} or {other} must be set{', not both' if count else ''}")
