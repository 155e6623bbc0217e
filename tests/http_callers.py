"""Callers who talk to the API in process."""

from flask.testing import FlaskClient
from tests.support import SECRET

from taskservice import testing
from taskservice.config import Settings

SETTINGS = Settings(database_url="sqlite:///unused.db", jwt_secret=SECRET, rate_limit="off")


def token_of(user: str) -> str:
    """Return a token of `user` that is good for an hour."""
    return testing.token_of(user, secret=SECRET)


class Caller(testing.Caller):
    """A caller whose token is signed with the secret that the canaries watch."""

    def __init__(self, client: FlaskClient, user: str, token: str | None = None) -> None:
        super().__init__(client, user, token or token_of(user))
