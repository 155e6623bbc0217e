"""Opaque sync tokens: encode how far one owner's client has come.

Version, kind, position, what was seen if that is later, the last entity of a first sync, and
a digest with the owner. As in a cursor, the digest finds mistakes and grants no access.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from struct import Struct, error
from uuid import UUID

from taskservice.core.changes import Position
from taskservice.core.sync import FIRST, SyncState
from taskservice.core.workspace import ENTITY_TYPES

PATTERN = "^[A-Za-z0-9_-]+$"
_VERSION = 1
_DIGEST_BYTES = 16
_PERSON = b"taskservice sync"
_KINDS = (None, *ENTITY_TYPES)
"""What a token continues: the changes, or the list of a type of entities."""

_head = Struct(">BBQQ")
_position = Struct(">QQ")
_MAX_SEQUENCE = 2**63 - 1


class BadToken(ValueError):
    """The token was altered, or it is another owner's."""


def encode(owner: str, state: SyncState) -> str:
    """Return the token of a state."""
    content = _head.pack(_VERSION, _KINDS.index(state.listing), *state.position)
    if state.seen != state.position:
        content += _position.pack(*state.seen)
    if state.listing is not None:
        content += state.after.bytes
    return urlsafe_b64encode(content + _digest(owner, content)).rstrip(b"=").decode()


def decode(token: str, owner: str) -> SyncState:
    """Return the state of a token. Raises `BadToken`."""
    try:
        state = _parse(urlsafe_b64decode(token + "==")[:-_DIGEST_BYTES])
        if encode(owner, state) == token:
            return state
    except (ValueError, error, IndexError):
        pass
    raise BadToken


def _parse(content: bytes) -> SyncState:
    _, kind, *numbers = _head.unpack_from(content)
    listing, rest = _KINDS[kind], content[_head.size :]
    position = Position(*numbers)
    after = FIRST
    if listing is not None:
        rest, after = rest[:-16], UUID(bytes=rest[-16:])
    seen = Position(*_position.unpack(rest)) if rest else position
    if max(position.sequence, seen.sequence) > _MAX_SEQUENCE:
        raise ValueError("beyond the numbers of the log")
    return SyncState(position, seen, listing, after)


def _digest(owner: str, content: bytes) -> bytes:
    digest = blake2b(content, digest_size=_DIGEST_BYTES, person=_PERSON)
    digest.update(owner.encode())
    return digest.digest()
