"""Authentication: the port that verifies a token."""

from typing import Protocol


class Authenticate(Protocol):
    """Verifies a token, and returns its subject."""

    def __call__(self, token: str) -> str:
        """Return the subject of `token`, a valid owner name.

        Raises `Unauthenticated`, with the reason for the log, if the token is not
        valid, and `Unavailable` if there is no key to verify it with.
        """
        ...
