"""Verification cache: a token is verified once while its key exists; its expiry, each time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from jwt import PyJWS
from tests.token_forge import CLAIMS, NOW, SECRET, claiming, verifier
from tests.token_issuer import Issuer

from taskservice.adapters.jwt import KeySet, SharedSecret, Verifier
from taskservice.adapters.jwt.claims import Claims
from taskservice.adapters.jwt.verification_cache import CACHE_SIZE, VerificationCache, VerifiedToken
from taskservice.core.authentication import ALL_SCOPES, Caller
from taskservice.core.errors import Unauthenticated

TOKEN = claiming()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was verified."""
    seen: list[str] = []
    decode = PyJWS.decode

    def watched(jws: PyJWS, token: str, *args: Any) -> Any:
        seen.append(token)
        return decode(jws, token, *args)

    monkeypatch.setattr(PyJWS, "decode", watched)
    return seen


def test_a_signature_is_verified_once(decoded: list[str]) -> None:
    """The second request with the same token costs no signature."""
    authenticate = verifier()
    assert [authenticate(TOKEN).owner, authenticate(TOKEN).owner] == ["ada", "ada"]
    assert decoded == [TOKEN]


def test_a_caller_is_built_once() -> None:
    """The second request with the same token gets the same object."""
    authenticate = verifier()
    assert authenticate(TOKEN) is authenticate(TOKEN)


def test_a_refused_token_is_not_cached(decoded: list[str]) -> None:
    """A forged token is verified, and refused, each time."""
    authenticate = verifier()
    forged = TOKEN[:-4] + ("AAAA" if TOKEN[-4:] != "AAAA" else "BBBB")
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="no key verifies"):
            authenticate(forged)
    assert decoded == [forged, forged]


def test_a_token_for_another_audience_is_not_cached(decoded: list[str]) -> None:
    """A token of the same issuer for another audience is verified each time."""
    authenticate = verifier(audience="tasks")
    foreign = claiming(aud="mail")
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="aud does not contain"):
            authenticate(foreign)
    assert decoded == [foreign, foreign]


def test_a_cached_token_expires() -> None:
    """The claims are compared with the clock each time."""
    now = [NOW]
    authenticate = Verifier(SharedSecret(SECRET), clock=lambda: now[0])
    assert authenticate(TOKEN).owner == "ada"
    now[0] = datetime.fromtimestamp(CLAIMS["exp"] + 30, UTC)  # type: ignore[operator]
    with pytest.raises(Unauthenticated, match="has expired"):
        authenticate(TOKEN)


def test_a_cached_token_of_a_removed_key_is_refused() -> None:
    """It stops working with the fetch that misses the key."""
    issuer = Issuer(["EdDSA"])
    keys = KeySet("https://i.example/jwks", fetch=lambda _: issuer.document())
    authenticate = Verifier(keys)
    token = issuer.token()
    assert authenticate(token).owner == "ada"
    issuer.rotate()
    keys.refresh_now()
    with pytest.raises(Unauthenticated, match="no key verifies"):
        authenticate(token)


def test_the_cache_is_bounded() -> None:
    """A new token replaces the oldest one at the limit."""
    cache = VerificationCache(limit=2)
    (key,) = SharedSecret(SECRET).current()
    for token in ("a", "b", "c"):
        cache.put(token, VerifiedToken(key, Claims(Caller(token, ALL_SCOPES, None), 0, {})))
    assert [cache.get(token) is not None for token in ("a", "b", "c")] == [False, True, True]
    assert CACHE_SIZE == 2_000


def test_the_cache_key_is_the_whole_token() -> None:
    """A token that differs in one character is not found."""
    cache = VerificationCache()
    (key,) = SharedSecret(SECRET).current()
    cache.put(TOKEN, VerifiedToken(key, Claims(Caller("ada", ALL_SCOPES, None), 0, {})))
    for place in range(len(TOKEN)):
        other = TOKEN[:place] + ("A" if TOKEN[place] != "A" else "B") + TOKEN[place + 1 :]
        assert cache.get(other) is None


def test_any_string_can_be_looked_up() -> None:
    """A lone surrogate is not found, and raises nothing."""
    assert VerificationCache().get("\ud800") is None
