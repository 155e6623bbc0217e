"""Idempotency keys: reads `Idempotency-Key`, and fingerprints the request."""

import re
from hashlib import blake2b

from taskservice.adapters.http.protocol.bodies import read_body
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import current_request
from taskservice.core.idempotency import IdempotencyKey

KEY_LIMIT = 255
WRITE_METHODS = {"POST", "PUT", "PATCH", "DELETE"}

# A server joins repeated headers with a comma.
_is_key = re.compile(rf"[\x20-\x2b\x2d-\x7e]{{1,{KEY_LIMIT}}}").fullmatch


def read_idempotency_key() -> None:
    """Read the key of a write, and the body of a DELETE with a key, which no handler reads.

    Raises `ProblemError`: 400 for the key, 413 or 400 for the body.
    """
    request = current_request()
    key = request.headers.get("Idempotency-Key") if request.method in WRITE_METHODS else None
    if key is None:
        return
    if not _is_key(key):
        raise ProblemError(
            "malformed-request",
            f"Idempotency-Key must be given once, as 1 to {KEY_LIMIT} printable ASCII characters "
            "without a comma",
        )
    request.idempotency_key = key
    if request.method == "DELETE":
        request.body = read_body(request)


def idempotency_key() -> IdempotencyKey | None:
    """Return the key with the fingerprint of method, path and body, or None without a key."""
    request = current_request()
    if request.idempotency_key is None:
        return None
    content = f"{request.method}\n{request.path}\n".encode() + request.body
    return IdempotencyKey(request.idempotency_key, blake2b(content, digest_size=32).digest())
