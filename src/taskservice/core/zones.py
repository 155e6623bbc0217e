"""Time zones: those of the IANA database in the package tzdata, never those of the system.

`zoneinfo` prefers the files of the system, which may be older (PEP 615).
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from taskservice.core.kinds import Kind

_PACKAGE = files("tzdata")

ZONE_NAMES = frozenset(_PACKAGE.joinpath("zones").read_text().split()) - {"Factory"}
"""The names of all time zones, links such as `Europe/Kiev` and `UTC` included."""

ZONE_DATA_VERSION = version("tzdata")
"""The version of the zone data: 2026.6 is the IANA release 2026f."""

ZONE_NAME_LIMIT = 64
"""The maximum length of a name that the storage keeps, in characters."""


def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone with this name, in its exact case, or None."""
    return _load(name) if name in ZONE_NAMES else None


@cache
def _load(name: str) -> ZoneInfo:
    with _PACKAGE.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@dataclass(frozen=True)
class TimeZone(Kind):
    """The name of a time zone of the IANA database, in its exact case."""

    def json_schema(self) -> dict[str, Any]:
        """Return the limit and the pattern of all names."""
        return {"type": "string", "maxLength": ZONE_NAME_LIMIT, "pattern": "^[A-Za-z0-9_+/-]+$"}

    def check(self, value: str) -> None:
        """Check that there is such a time zone."""
        if value not in ZONE_NAMES:
            raise ValueError(
                "must be the name of an IANA time zone in its exact case, such as Europe/Berlin"
            )
