"""Requests that may be sent again: the `Idempotency-Key`, and what it stands for."""

import re
from hashlib import blake2b

from taskservice.adapters.http.protocol.bodies import read_body
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import exchange
from taskservice.core.idempotency import IdempotencyKey

KEY_LIMIT = 255
WRITES = {"POST", "PUT", "PATCH", "DELETE"}

# A comma is how a server joins a header that was sent twice.
_is_key = re.compile(rf"[\x20-\x2b\x2d-\x7e]{{1,{KEY_LIMIT}}}").fullmatch


def read_idempotency_key() -> None:
    """Read the key of a writing request, before anything is opened, and a body that nobody reads.

    Raises `ProblemError`: 400, and 413 for the body.
    """
    asked = exchange()
    key = asked.headers.get("Idempotency-Key") if asked.method in WRITES else None
    if key is None:
        return
    if not _is_key(key):
        raise ProblemError(
            "malformed-request",
            f"Idempotency-Key must be given once, as 1 to {KEY_LIMIT} printable ASCII characters "
            "without a comma",
        )
    asked.key = key
    if asked.method == "DELETE":
        asked.body = read_body(asked)


def attempt() -> IdempotencyKey | None:
    """Return the key and the digest of method, path and body, None where there is no key."""
    asked = exchange()
    if asked.key is None:
        return None
    sent = f"{asked.method}\n{asked.path}\n".encode() + asked.body
    return IdempotencyKey(asked.key, blake2b(sent, digest_size=32).digest())
