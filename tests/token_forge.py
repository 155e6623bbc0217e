"""Tokens made by hand, so that anything can be wrong with them."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from taskservice.adapters.jwt import SharedSecret, Verifier

SECRET = "a secret of more than thirty-two bytes"
NOW = datetime(2026, 2, 9, 10, 0, tzinfo=UTC)
SECONDS = NOW.timestamp()
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"sub": "ada", "exp": SECONDS + 600}

Part = dict[str, Any] | bytes


def forge(claims: Part = CLAIMS, header: Part = HEADER, secret: str = SECRET) -> str:
    """Return a token of exactly these parts, signed with HS256."""
    return sign(f"{segment(header)}.{segment(claims)}", secret)


def claiming(**claims: Any) -> str:
    """Return a token with these claims changed or added; None leaves one out."""
    return forge({n: v for n, v in {**CLAIMS, **claims}.items() if v is not None})


def headed(**members: Any) -> str:
    """Return a token with these members of the header changed or added."""
    return forge(header={**HEADER, **members})


def segment(part: Part) -> str:
    """Return a part in canonical base64url."""
    octets = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def sign(signing_input: str, secret: str = SECRET) -> str:
    """Return the token that begins with `signing_input`, signed with HS256."""
    digest = hmac.digest(secret.encode(), signing_input.encode(), hashlib.sha256)
    return f"{signing_input}.{segment(digest)}"


def verifier(**settings: Any) -> Verifier:
    """Return a verifier of forged tokens, whose clock stands at `NOW`."""
    return Verifier(SharedSecret(SECRET), clock=lambda: NOW, **settings)
