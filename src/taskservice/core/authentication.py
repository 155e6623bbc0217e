"""Authentication: the port that verifies a token, and the caller that a token names."""

from typing import NamedTuple, Protocol

READ = "tasks:read"
"""The scope that permits reading tasks."""

WRITE = "tasks:write"
"""The scope that permits changing tasks."""

ALL_SCOPES = frozenset({READ, WRITE})
"""All scopes."""


class Caller(NamedTuple):
    """The sender of a request: its user, and the client that acts for the user."""

    owner: str
    """The subject of the token, a valid owner name."""
    scopes: frozenset[str]
    """The scopes of the caller (RFC 6749, section 3.3). Each caller has all."""
    client: str | None
    """The id of the client to which the token was issued, if the token names it.

    1 to 128 printable characters of ASCII. In a JWT it is the claim `azp` (OpenID
    Connect Core 1.0, section 2) or `client_id` (RFC 9068, section 2.2).
    """


class Authenticate(Protocol):
    """Verifies a token, and returns its caller."""

    def __call__(self, token: str) -> Caller:
        """Return the caller that `token` names.

        Raises `Unauthenticated`, with the reason for the log, if the token is not
        valid, and `Unavailable` if there is no key to verify it with.
        """
        ...
