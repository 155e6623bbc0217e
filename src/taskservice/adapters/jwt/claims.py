"""Claims: validates the claims of a token (RFC 7519, section 4.1), and reads its caller."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from taskservice.core.authentication import ALL_SCOPES, Caller
from taskservice.core.errors import Unauthenticated
from taskservice.core.validation import is_owner

_NOT_BEFORE_CLAIMS = ("nbf", "iat")
_is_client = re.compile(r"[ -~]{1,128}").fullmatch
_MIN_TIME = datetime.min.replace(tzinfo=UTC).timestamp()
_MAX_TIME = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()


class Claims(NamedTuple):
    """The caller of a token, and its period of validity in Unix time, with the leeway."""

    caller: Caller
    expires_at: float
    not_before: dict[str, float]
    """The start of the period, by the name of the claim."""

    def caller_if_valid(self, now: float) -> Caller:
        """Return the caller. Raise `Unauthenticated` if the token is not valid at `now`."""
        if now >= self.expires_at:
            raise Unauthenticated("the token has expired")
        for name, not_before in self.not_before.items():
            if not_before > now:
                raise Unauthenticated(f"{name} is in the future")
        return self.caller


@dataclass(frozen=True, kw_only=True)
class ClaimsValidator:
    """Validates all claims, except for the time.

    `subject_claim` is the name of the claim with the owner. `issuer` and `audience`
    are compared unless they are None. `leeway` is the tolerated difference between
    the clocks of issuer and service, in seconds.
    """

    subject_claim: str
    issuer: str | None
    audience: str | None
    leeway: float

    def validate(self, claims: dict[str, Any]) -> Claims:
        """Return the validated `claims`. Raise `Unauthenticated` if one is not valid."""
        expires_at, not_before = self._times(claims)
        self._check_issuer(claims)
        self._check_audience(claims)
        caller = Caller(self._subject(claims), ALL_SCOPES, _client(claims))
        return Claims(caller, expires_at, not_before)

    def _times(self, claims: dict[str, Any]) -> tuple[float, dict[str, float]]:
        if "exp" not in claims:
            raise Unauthenticated("exp is missing")
        expires_at = _time(claims, "exp") + self.leeway
        names = [name for name in _NOT_BEFORE_CLAIMS if name in claims]
        return expires_at, {name: _time(claims, name) - self.leeway for name in names}

    def _subject(self, claims: dict[str, Any]) -> str:
        subject = claims.get(self.subject_claim)
        if not isinstance(subject, str) or not is_owner(subject):
            raise Unauthenticated(f"{self.subject_claim} is not a valid user id")
        return subject

    def _check_issuer(self, claims: dict[str, Any]) -> None:
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise Unauthenticated("iss is not the configured issuer")

    def _check_audience(self, claims: dict[str, Any]) -> None:
        if self.audience is None:
            return
        audience = claims.get("aud")
        names = audience if isinstance(audience, list) else [audience]
        if self.audience not in names or not all(isinstance(name, str) for name in names):
            raise Unauthenticated("aud does not contain the configured audience")


def _client(claims: dict[str, Any]) -> str | None:
    """Return the value of `azp`, or of `client_id` without an `azp`, if it is a client id.

    A client id is 1 to 128 printable characters of ASCII (RFC 6749, appendix A.1).
    """
    client = claims.get("azp", claims.get("client_id"))
    return client if isinstance(client, str) and _is_client(client) else None


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unauthenticated(f"{name} is not a number")
    if not _MIN_TIME <= value <= _MAX_TIME:
        raise Unauthenticated(f"{name} is out of range")
    return value
