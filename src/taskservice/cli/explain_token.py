"""`taskservice token --explain`: shows an operator why a token is accepted or refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from taskservice.adapters.jwt import KeySet, KeySource
from taskservice.adapters.jwt.compact import split_token
from taskservice.adapters.jwt.fetch import fetch
from taskservice.adapters.jwt.jose_header import parse_json_object
from taskservice.app import token_verifier, verification_keys
from taskservice.config import Settings
from taskservice.core.errors import Unauthenticated, Unavailable

MAX_VALUE_LENGTH = 200
"""Longest value of a claim that is printed whole, in characters."""

TIME_CLAIMS = ("exp", "nbf", "iat")


def explain(token: str, settings: Settings) -> Iterator[str]:
    """Yield a line for each header and claim, and the verdict last.

    The lines contain neither the secret nor the signature. Raises
    `Unauthenticated` if the token is refused, `Unavailable` if no key is loaded.
    """
    keys, now = verification_keys(settings), datetime.now(UTC)
    yield from _header_lines(_part(token, 0), keys)
    yield from _claim_lines(_part(token, 1), settings, now)
    yield f"{'clock':<9} {_timestamp(now)}, this machine's{_issuer_clock(settings)}"
    caller = token_verifier(keys, settings)(token)
    client = f"the client {caller.client}, " if caller.client else ""
    yield f"accepted: the user is {caller.owner}, {client}the path /api/tasks/{caller.owner}/tasks"


def _part(token: str, number: int) -> dict[str, Any]:
    """Return the header (0) or the claims (1), empty if it cannot be parsed."""
    try:
        return parse_json_object(split_token(token)[number], "part")
    except Unauthenticated:
        return {}


def _header_lines(header: dict[str, Any], keys: KeySource) -> Iterator[str]:
    if not header:
        return
    supported = ", ".join(sorted(keys.algorithms))
    yield _line("alg", header.get("alg"), f"supported: {supported}")
    if "kid" in header:
        yield _line("kid", header["kid"], _key_note(header, keys))
    if "typ" in header:
        yield _line("typ", header["typ"])


def _key_note(header: dict[str, Any], keys: KeySource) -> str:
    """Return whether the issuer has the key that a token names."""
    algorithm, key_id = str(header.get("alg")), header["kid"]
    is_looked_up = isinstance(key_id, str) and key_id and algorithm in keys.algorithms
    if not isinstance(keys, KeySet) or not is_looked_up:
        return ""
    if keys.candidates(algorithm, key_id):
        return "the issuer has this key"
    if reason := keys.ignored_reason(key_id):
        return f"the issuer has this key, but it is ignored: {reason}"
    key_ids = [_value(key.key_id) for key in keys.candidates(algorithm, None)]
    return f"the issuer has no such key for {algorithm}; it has {', '.join(key_ids) or 'none'}"


def _claim_lines(claims: dict[str, Any], settings: Settings, now: datetime) -> Iterator[str]:
    expected = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    for name in dict.fromkeys([settings.jwt_subject_claim, "iss", "aud", "azp", "client_id"]):
        required = expected.get(name)
        if claims and (name in claims or required or name == settings.jwt_subject_claim):
            note = f"must be {_value(required)}" if required else ""
            yield _line(name, claims[name], note) if name in claims else _missing(name, note)
    for name in TIME_CLAIMS:
        if name in claims:
            yield _line(name, claims[name], _relative_time(claims[name], now))
        elif claims and name == "exp":
            yield _missing(name, "required")


def _missing(name: str, note: str) -> str:
    return f"{name:<9} is missing{f' ({note})' if note else ''}"


def _line(name: str, value: Any, note: str = "") -> str:
    return f"{name:<9} {_value(value)}{f'  ({note})' if note else ''}"


def _value(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _relative_time(seconds: Any, now: datetime) -> str:
    """Return a time claim as a timestamp, and its distance from now."""
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return "not a time"
    distance = timedelta(seconds=round((time - now).total_seconds()))
    return f"{_timestamp(time)}, {f'in {distance}' if time > now else f'{-distance} ago'}"


def _timestamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _issuer_clock(settings: Settings) -> str:
    if settings.jwks_url is None:
        return ""
    try:
        date = fetch(settings.jwks_url).date
    except Unavailable as error:
        return f"; the issuer did not answer: {error}"
    return f"; {_timestamp(date)}, the issuer's" if date else ""
