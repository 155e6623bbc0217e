"""JWT verification: checks the header, then the signature, then the claims."""

from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from taskservice.adapters.jwt.claims import ClaimsValidator
from taskservice.adapters.jwt.compact import split_token
from taskservice.adapters.jwt.jose_header import JoseHeader, parse_json_object, read_header
from taskservice.adapters.jwt.key_source import KeySource
from taskservice.adapters.jwt.verification_cache import VerificationCache, VerifiedToken
from taskservice.core.authentication import Caller
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Unauthenticated


class Verifier:
    """Authenticates a signed JWT in compact serialization (RFC 7519, RFC 8725).

    Implements `Authenticate`. Reasons never contain a part of the token.
    Thread-safe if `keys` is.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        subject_claim: str = "sub",
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 30.0,
        clock: Clock = system_clock,
    ) -> None:
        """Verify with `keys`, and compare `iss` and `aud` if set. `leeway` is in seconds."""
        self._keys = keys
        self._claims_validator = ClaimsValidator(
            subject_claim=subject_claim, issuer=issuer, audience=audience, leeway=leeway
        )
        self._clock = clock
        self._algorithms = sorted(keys.algorithms)
        self._cache = VerificationCache()
        self._jws = PyJWS(self._algorithms, {"enforce_minimum_key_length": True})

    def __call__(self, token: str) -> Caller:
        """Return the caller of `token`. Raise `Unauthenticated`, or `Unavailable` without keys.

        The result of the verification is cached as long as the key exists. The time is
        checked on each call.
        """
        verified = self._cache.get(token)
        if verified is None or not any(key is verified.key for key in self._keys.current()):
            verified = self._verify(token)
            self._cache.put(token, verified)
        return verified.claims.caller_if_valid(self._clock().timestamp())

    def _verify(self, token: str) -> VerifiedToken:
        header = read_header(split_token(token).header, self._algorithms)
        key, payload = self._signed_payload(token, header)
        return VerifiedToken(
            key, self._claims_validator.validate(parse_json_object(payload, "payload"))
        )

    def _signed_payload(self, token: str, header: JoseHeader) -> tuple[PyJWK, bytes]:
        # PyJWT splits and decodes the token again. It reads the same values, as segments
        # are canonical and names unique. The payload used is the one that PyJWT returns.
        for key in self._keys.candidates(*header):
            try:
                payload: bytes = self._jws.decode(token, key, self._algorithms)
            except PyJWTError:
                continue
            return key, payload
        raise Unauthenticated("no key verifies the signature")
