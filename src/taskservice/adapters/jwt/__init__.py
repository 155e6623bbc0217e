"""Bearer tokens: verified against a shared secret or an issuer's key set."""

from taskservice.adapters.jwt.issue import issue
from taskservice.adapters.jwt.key_set import KeySet
from taskservice.adapters.jwt.keys import Keys
from taskservice.adapters.jwt.shared_secret import SharedSecret
from taskservice.adapters.jwt.verifier import Verifier

__all__ = ["KeySet", "Keys", "SharedSecret", "Verifier", "issue"]
