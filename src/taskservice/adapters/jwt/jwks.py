"""JSON Web Key Set: the keys that this service uses, and those that it ignores."""

import logging
from codecs import BOM_UTF8
from typing import Any, NamedTuple

from jwt import PyJWK

from taskservice import strict_json
from taskservice.adapters.jwt.jwk import UnusableKey, quoted, read_key

REASONS_LIMIT = 10
"""How many ignored keys are named with their reason."""

_log = logging.getLogger("taskservice")


class IgnoredKey(NamedTuple):
    """A key that is not used: its place in the set from 1, its `kid` if any, and why."""

    number: int
    key_id: str | None
    reason: str

    def __str__(self) -> str:
        named = f" (kid {quoted(self.key_id)})" if self.key_id else ""
        return f"key {self.number}{named}: {self.reason}"


class JwkSet(NamedTuple):
    """What an issuer publishes."""

    keys: tuple[PyJWK, ...]
    ignored: tuple[IgnoredKey, ...]

    def reasons(self) -> str:
        """Return why keys are not used, the first 10 of them, without any key material."""
        if not self.keys and not self.ignored:
            return "it is empty"
        shown = [str(key) for key in self.ignored[:REASONS_LIMIT]]
        rest = len(self.ignored) - len(shown)
        return "; ".join([*shown, f"{rest} more"] if rest else shown)


def read_key_set(data: bytes) -> JwkSet:
    """Return the keys of a JWK Set (RFC 7517, section 5), those that can be used apart.

    A set may hold no key at all. Raises `ValueError`, saying why, unless `data` is a key set.
    """
    keys, ignored = [], []
    for number, member in enumerate(_members(strict_json.loads(data.removeprefix(BOM_UTF8))), 1):
        try:
            keys.append(read_key(member))
        except UnusableKey as error:
            ignored.append(IgnoredKey(number, _key_id(member), str(error)))
    return JwkSet(tuple(keys), tuple(ignored))


def log_change(before: JwkSet, after: JwkSet) -> None:
    """Log which keys are ignored, or that none is left to use, where `before` was otherwise."""
    if _outline(before) == _outline(after):
        return
    if not after.keys:
        _log.warning("jwks holds no usable key", extra={"reason": after.reasons()})
    elif after.ignored:
        _log.info("jwks keys ignored", extra={"reason": after.reasons()})


def _outline(found: JwkSet) -> tuple[bool, set[tuple[str | None, str]]]:
    """Return what is the same in whatever order an issuer lists its keys."""
    return bool(found.keys), {(key.key_id, key.reason) for key in found.ignored}


def _members(document: Any) -> list[Any]:
    match document:
        case {"keys": None}:  # an empty list, as Go writes it
            return []
        case {"keys": list(members)}:
            return members
    raise ValueError("it is not a key set")


def _key_id(member: object) -> str | None:
    key_id = member.get("kid") if isinstance(member, dict) else None
    return key_id if isinstance(key_id, str) else None
