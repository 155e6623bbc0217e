"""JSON Web Key Set: parses usable keys, and lists ignored ones."""

import logging
from codecs import BOM_UTF8
from typing import Any, NamedTuple

from jwt import PyJWK

from taskservice import strict_json
from taskservice.adapters.jwt.jwk import UnusableKey, quoted, read_key

MAX_REASONS = 10
"""The maximum number of ignored keys in a message."""

_log = logging.getLogger("taskservice")


class IgnoredKey(NamedTuple):
    """An ignored key: its position in the set from 1, its `kid` if any, and the reason."""

    number: int
    key_id: str | None
    reason: str

    def __str__(self) -> str:
        key_id = f" (kid {quoted(self.key_id)})" if self.key_id else ""
        return f"key {self.number}{key_id}: {self.reason}"


class JwkSet(NamedTuple):
    """The keys of an issuer."""

    keys: tuple[PyJWK, ...]
    ignored: tuple[IgnoredKey, ...]

    def reasons(self) -> str:
        """Return why keys are ignored, for the first 10 of them, without key material."""
        if not self.keys and not self.ignored:
            return "it is empty"
        reasons = [str(key) for key in self.ignored[:MAX_REASONS]]
        omitted = len(self.ignored) - len(reasons)
        return "; ".join([*reasons, f"{omitted} more"] if omitted else reasons)


def read_key_set(data: bytes) -> JwkSet:
    """Return the usable and the ignored keys of a JWK Set (RFC 7517, section 5).

    A set may be empty. Raises `ValueError` with the reason unless `data` is a key set.
    """
    keys, ignored = [], []
    for number, member in enumerate(_members(strict_json.loads(data.removeprefix(BOM_UTF8))), 1):
        try:
            keys.append(read_key(member))
        except UnusableKey as error:
            ignored.append(IgnoredKey(number, _key_id(member), str(error)))
    return JwkSet(tuple(keys), tuple(ignored))


def log_change(before: JwkSet, after: JwkSet) -> None:
    """Log ignored keys, or that there is no usable key, if that has changed."""
    if _summary(before) == _summary(after):
        return
    if not after.keys:
        _log.warning("jwks has no usable key", extra={"reason": after.reasons()})
    elif after.ignored:
        _log.info("jwks keys ignored", extra={"reason": after.reasons()})


def _summary(jwks: JwkSet) -> tuple[bool, set[tuple[str | None, str]]]:
    """Return a value that does not depend on the order of the keys."""
    return bool(jwks.keys), {(key.key_id, key.reason) for key in jwks.ignored}


def _members(document: Any) -> list[Any]:
    match document:
        case {"keys": None}:  # Go encodes an empty list as null.
            return []
        case {"keys": list(members)}:
            return members
    raise ValueError("it is not a key set")


def _key_id(member: object) -> str | None:
    key_id = member.get("kid") if isinstance(member, dict) else None
    return key_id if isinstance(key_id, str) else None
