"""The port that tells who is calling."""

from typing import Protocol


class Authenticate(Protocol):
    """Tells whose credentials a token is."""

    def __call__(self, token: str) -> str:
        """Return the subject of `token`, a valid owner's name.

        Raises `Unauthenticated`, with the reason for the log, where the token
        proves nothing; `Unavailable` where there is no key to test it with.
        """
        ...
