"""What a token claims: when it holds, who made it for whom, and whose it is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from taskservice.core.errors import Unauthenticated
from taskservice.core.rules import is_owner

_FIRST = datetime.min.replace(tzinfo=UTC).timestamp()
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The claims that are expected of every token (RFC 7519, section 4.1).

    `subject_claim` names the claim that holds the owner; `issuer` and
    `audience` are compared where they are not None; `leeway` is how far the
    issuer's clock may be off, in seconds.
    """

    subject_claim: str
    issuer: str | None
    audience: str | None
    leeway: float

    def subject(self, claims: dict[str, Any], now: float) -> str:
        """Return whose the token is, or raise `Unauthenticated`; `now` is in seconds since 1970."""
        self._check_times(claims, now)
        self._check_issuer(claims)
        self._check_audience(claims)
        subject = claims.get(self.subject_claim)
        if not isinstance(subject, str) or not is_owner(subject):
            raise Unauthenticated(f"{self.subject_claim} is not the name of an owner")
        return subject

    def _check_times(self, claims: dict[str, Any], now: float) -> None:
        if "exp" not in claims:
            raise Unauthenticated("exp is missing")
        times = {name: _time(claims, name) for name in ("exp", "nbf", "iat") if name in claims}
        if now >= times.pop("exp") + self.leeway:
            raise Unauthenticated("the token has expired")
        for name, time in times.items():
            if time > now + self.leeway:
                raise Unauthenticated(f"{name} is in the future")

    def _check_issuer(self, claims: dict[str, Any]) -> None:
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise Unauthenticated("iss is not the configured issuer")

    def _check_audience(self, claims: dict[str, Any]) -> None:
        if self.audience is None:
            return
        audience = claims.get("aud")
        names = audience if isinstance(audience, list) else [audience]
        if self.audience not in names or not all(isinstance(name, str) for name in names):
            raise Unauthenticated("aud does not name the configured audience")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unauthenticated(f"{name} is not a number")
    if not _FIRST <= value <= _LAST:
        raise Unauthenticated(f"{name} is not a time")
    return value
