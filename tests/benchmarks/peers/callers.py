"""What all peers share: their settings, and who a bearer token says is calling."""

import os

import jwt

DATABASE = os.environ.get("DATABASE_URL", "")
SECRET = os.environ.get("TASKSERVICE_JWT_SECRET", "")
POOL_SIZE = 8


def subject(token: str) -> str:
    """Return whose token it is. Raises `jwt.InvalidTokenError`."""
    claims = jwt.decode(token, SECRET, ["HS256"], {"require": ["exp", "sub"]})
    return str(claims["sub"])
