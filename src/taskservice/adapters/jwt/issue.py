"""Token issuance for the command `taskservice token`."""

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
    """Return a token for `subject`, signed with HS256, valid from `now` (aware) for `lifetime`.

    Raises `ValueError` if the secret or the subject is not valid, if the lifetime is
    not positive, or if it ends after the year 9999.
    """
    if not is_owner(subject):
        raise ValueError("the subject is not a valid user id")
    claims = {"iss": issuer, "aud": audience, "iat": now, "exp": _expiry(now, lifetime)}
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({subject_claim: subject, **present}, secret_bytes(secret), algorithm="HS256")


def _expiry(now: datetime, lifetime: timedelta) -> datetime:
    if lifetime <= timedelta(0):
        raise ValueError("the lifetime is not positive")
    try:
        return now + lifetime
    except OverflowError:
        raise ValueError("the lifetime is too long") from None
