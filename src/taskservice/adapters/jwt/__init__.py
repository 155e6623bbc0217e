"""JWT verification with a shared secret or a key set (JWKS)."""

from taskservice.adapters.jwt.issue import issue
from taskservice.adapters.jwt.key_set import KeySet
from taskservice.adapters.jwt.key_source import KeySource
from taskservice.adapters.jwt.shared_secret import SharedSecret
from taskservice.adapters.jwt.verifier import Verifier

__all__ = ["KeySet", "KeySource", "SharedSecret", "Verifier", "issue"]
