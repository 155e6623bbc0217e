"""The port that tells whether a part is fit to serve."""

from typing import Protocol


class Probe(Protocol):
    """Looks at one part that the service needs."""

    def __call__(self) -> None:
        """Return when the part is fit to serve; raise `Unavailable`, saying why, when not."""
        ...
