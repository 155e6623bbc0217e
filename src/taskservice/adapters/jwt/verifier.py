"""Whose is this token: the cheap refusals first, then the signature, then the claims."""

from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from taskservice.adapters.jwt.claims import Expected
from taskservice.adapters.jwt.compact import split
from taskservice.adapters.jwt.header import Header, json_object, read_header
from taskservice.adapters.jwt.keys import Keys
from taskservice.adapters.jwt.verification_cache import VerificationCache, Verified
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Unauthenticated


class Verifier:
    """Authenticates a JWT that is signed and in compact form (RFC 7519, RFC 8725).

    Implements `core.caller.Authenticate`. No reason holds any part of a
    token. Threads may share it, if they may share the keys.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        subject_claim: str = "sub",
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 30.0,
        clock: Clock = system_clock,
    ) -> None:
        """Verify with `keys`; compare `iss` and `aud` where given; `leeway` is in seconds."""
        self._keys = keys
        self._expected = Expected(
            subject_claim=subject_claim, issuer=issuer, audience=audience, leeway=leeway
        )
        self._clock = clock
        self._algorithms = sorted(keys.algorithms)
        self._memory = VerificationCache()
        self._jws = PyJWS(self._algorithms, {"enforce_minimum_key_length": True})

    def __call__(self, token: str) -> str:
        """Return the subject of `token`; raise `Unauthenticated`, or `Unavailable` without keys.

        Its signature is verified, and its claims are read, once while the key is there; whether it
        still holds is asked each time.
        """
        verified = self._memory.get(token)
        if verified is None or not any(key is verified.key for key in self._keys.current()):
            verified = self._verified(token)
            self._memory.put(token, verified)
        return verified.claims.subject_if_valid(self._clock().timestamp())

    def _verified(self, token: str) -> Verified:
        header = read_header(split(token).header, self._algorithms)
        key, payload = self._signed_payload(token, header)
        return Verified(key, self._expected.read(json_object(payload, "payload")))

    def _signed_payload(self, token: str, header: Header) -> tuple[PyJWK, bytes]:
        # PyJWT splits and decodes the token anew. Canonical segments and unique
        # names leave it one way to read them; the payload read is the one it returns.
        for key in self._keys.candidates(*header):
            try:
                payload: bytes = self._jws.decode(token, key, self._algorithms)
            except PyJWTError:
                continue
            return key, payload
        raise Unauthenticated("no key verifies the signature")
