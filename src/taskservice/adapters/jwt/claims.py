"""What a token claims: when it holds, who made it for whom, and whose it is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from taskservice.core.errors import Unauthenticated
from taskservice.core.validation import is_owner

_BEGINS = ("nbf", "iat")
_FIRST = datetime.min.replace(tzinfo=UTC).timestamp()
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()


class Claims(NamedTuple):
    """Whose a token is, and when it holds: moments in seconds since 1970, leeway and all."""

    subject: str
    expires: float
    begins: dict[str, float]
    """By the name of the claim that says so."""

    def subject_if_valid(self, now: float) -> str:
        """Return the subject, or raise `Unauthenticated` where the token does not hold `now`."""
        if now >= self.expires:
            raise Unauthenticated("the token has expired")
        for name, moment in self.begins.items():
            if moment > now:
                raise Unauthenticated(f"{name} is in the future")
        return self.subject


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

    def read(self, claims: dict[str, Any]) -> Claims:
        """Return what `claims` say, at whatever time, or raise `Unauthenticated`."""
        expires, begins = self._times(claims)
        self._check_issuer(claims)
        self._check_audience(claims)
        return Claims(self._subject(claims), expires, begins)

    def _times(self, claims: dict[str, Any]) -> tuple[float, dict[str, float]]:
        if "exp" not in claims:
            raise Unauthenticated("exp is missing")
        expires = _time(claims, "exp") + self.leeway
        begins = {name: _time(claims, name) - self.leeway for name in _BEGINS if name in claims}
        return expires, begins

    def _subject(self, claims: dict[str, Any]) -> str:
        subject = claims.get(self.subject_claim)
        if not isinstance(subject, str) or not is_owner(subject):
            raise Unauthenticated(f"{self.subject_claim} is not the name of an owner")
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
            raise Unauthenticated("aud does not name the configured audience")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unauthenticated(f"{name} is not a number")
    if not _FIRST <= value <= _LAST:
        raise Unauthenticated(f"{name} is not a time")
    return value
