"""`taskservice token --explain`: why a token is, or is not, accepted. For the operator alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from taskservice.adapters.jwt import Keys, KeySet
from taskservice.adapters.jwt.compact import split
from taskservice.adapters.jwt.fetch import fetch
from taskservice.adapters.jwt.header import json_object
from taskservice.app import token_keys, token_verifier
from taskservice.config import Settings
from taskservice.core.errors import Unauthenticated, Unavailable

SHOWN = 200
"""How much of a claim is shown, in characters."""

TIMES = ("exp", "nbf", "iat")


def explain(token: str, settings: Settings) -> Iterator[str]:
    """Yield the lines that tell it, the verdict last; raise it where the token is refused.

    Nothing of the secret, the signature or the token itself is told, but what
    it claims. Raises `Unauthenticated`; `Unavailable` where there is no key.
    """
    keys, now = token_keys(settings), datetime.now(UTC)
    yield from _told_header(_part(token, 0), keys)
    yield from _told_claims(_part(token, 1), settings, now)
    yield f"{'clock':<9} {_shown(now)}, this machine's{_issuers_clock(settings)}"
    subject = token_verifier(keys, settings)(token)
    yield f"accepted: it is {subject}'s, for /api/tasks/{subject}/tasks"


def _part(token: str, number: int) -> dict[str, Any]:
    """Return the header (0) or the claims (1), nothing where it cannot be read."""
    try:
        return json_object(split(token)[number], "part")
    except Unauthenticated:
        return {}


def _told_header(header: dict[str, Any], keys: Keys) -> Iterator[str]:
    if not header:
        return
    taken = ", ".join(sorted(keys.algorithms))
    yield _line("alg", header.get("alg"), f"taken: {taken}")
    if "kid" in header:
        yield _line("kid", header["kid"], _known(header, keys))
    if "typ" in header:
        yield _line("typ", header["typ"])


def _known(header: dict[str, Any], keys: Keys) -> str:
    """Return what is known of the key that a token names."""
    algorithm, key_id = str(header.get("alg")), header["kid"]
    is_looked_up = isinstance(key_id, str) and key_id and algorithm in keys.algorithms
    if not isinstance(keys, KeySet) or not is_looked_up:
        return ""
    if keys.candidates(algorithm, key_id):
        return "the issuer has this key"
    if reason := keys.why_ignored(key_id):
        return f"the issuer has this key, which is ignored: {reason}"
    names = [_value(key.key_id) for key in keys.candidates(algorithm, None)]
    return f"the issuer has no such key for {algorithm}, but {', '.join(names) or 'none at all'}"


def _told_claims(claims: dict[str, Any], settings: Settings, now: datetime) -> Iterator[str]:
    expected = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    for name in dict.fromkeys([settings.jwt_subject_claim, "iss", "aud"]):
        wanted = expected.get(name)
        if claims and (name in claims or wanted or name == settings.jwt_subject_claim):
            note = f"must be {_value(wanted)}" if wanted else ""
            yield _line(name, claims[name], note) if name in claims else _missing(name, note)
    for name in TIMES:
        if name in claims:
            yield _line(name, claims[name], _distance(claims[name], now))
        elif claims and name == "exp":
            yield _missing(name, "needed")


def _missing(name: str, note: str) -> str:
    return f"{name:<9} is missing{f' ({note})' if note else ''}"


def _line(name: str, value: Any, note: str = "") -> str:
    return f"{name:<9} {_value(value)}{f'  ({note})' if note else ''}"


def _value(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _distance(seconds: Any, now: datetime) -> str:
    """Return a time of a token in words, and how far it is from now."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return "no time"
    away = timedelta(seconds=round((moment - now).total_seconds()))
    return f"{_shown(moment)}, {f'in {away}' if moment > now else f'{-away} ago'}"


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _issuers_clock(settings: Settings) -> str:
    if settings.jwks_url is None:
        return ""
    try:
        date = fetch(settings.jwks_url).date
    except Unavailable as error:
        return f"; the issuer cannot be asked: {error}"
    return f"; {_shown(date)}, the issuer's" if date else ""
