"""Makes a token, for the command line: `taskservice token`."""

from datetime import datetime, timedelta

import jwt

from taskservice.adapters.jwt.shared_secret import secret_bytes
from taskservice.core.validation import is_owner


def issue(
    secret: str,
    subject: str,
    *,
    lifetime: timedelta,
    now: datetime,
    issuer: str | None = None,
    audience: str | None = None,
    subject_claim: str = "sub",
) -> str:
    """Return a token of `subject`, signed with HS256, that holds from `now` (aware) for `lifetime`.

    Raises `ValueError` where the secret or the subject could not be verified
    later, or where the lifetime is not positive or ends after the year 9999.
    """
    if not is_owner(subject):
        raise ValueError("the subject is not the name of an owner")
    claims = {"iss": issuer, "aud": audience, "iat": now, "exp": _end(now, lifetime)}
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({subject_claim: subject, **given}, secret_bytes(secret), algorithm="HS256")


def _end(now: datetime, lifetime: timedelta) -> datetime:
    if lifetime <= timedelta(0):
        raise ValueError("the lifetime is not positive")
    try:
        return now + lifetime
    except OverflowError:
        raise ValueError("the lifetime is too long") from None
