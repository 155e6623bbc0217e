"""Bearer tokens: verified against a shared secret or an issuer's key set."""

from taskservice.adapters.http.tokens.issue import issue
from taskservice.adapters.http.tokens.key_set import KeySet
from taskservice.adapters.http.tokens.keys import Keys
from taskservice.adapters.http.tokens.secret import SharedSecret
from taskservice.adapters.http.tokens.verifier import Verifier

__all__ = ["KeySet", "Keys", "SharedSecret", "Verifier", "issue"]
