"""A token is verified and read once, as long as its key is there; whether it holds, each time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from jwt import PyJWS
from tests.issuer import Issuer
from tests.token_forge import CLAIMS, NOW, SECRET, claiming, verifier

from taskservice.adapters.jwt import KeySet, SharedSecret, Verifier
from taskservice.adapters.jwt.claims import Claims
from taskservice.adapters.jwt.verification_cache import CACHE_SIZE, VerificationCache, VerifiedToken
from taskservice.core.errors import Unauthenticated

TOKEN = claiming()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was looked at."""
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
    assert [authenticate(TOKEN), authenticate(TOKEN)] == ["ada", "ada"]
    assert decoded == [TOKEN]


def test_what_is_refused_is_not_remembered(decoded: list[str]) -> None:
    """A forged token is verified, and refused, each time."""
    authenticate = verifier()
    forged = TOKEN[:-4] + ("AAAA" if TOKEN[-4:] != "AAAA" else "BBBB")
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="no key verifies"):
            authenticate(forged)
    assert decoded == [forged, forged]


def test_what_is_signed_and_not_for_us_is_not_remembered(decoded: list[str]) -> None:
    """A token of the same issuer for others takes the place of nobody."""
    authenticate = verifier(audience="tasks")
    foreign = claiming(aud="mail")
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="aud does not contain"):
            authenticate(foreign)
    assert decoded == [foreign, foreign]


def test_a_token_that_is_known_expires() -> None:
    """The claims are compared with the clock each time."""
    now = [NOW]
    authenticate = Verifier(SharedSecret(SECRET), clock=lambda: now[0])
    assert authenticate(TOKEN) == "ada"
    now[0] = datetime.fromtimestamp(CLAIMS["exp"] + 30, UTC)  # type: ignore[operator]
    with pytest.raises(Unauthenticated, match="has expired"):
        authenticate(TOKEN)


def test_a_token_of_a_key_that_was_withdrawn_is_refused() -> None:
    """It stops working with the fetch that misses the key."""
    issuer = Issuer(["EdDSA"])
    keys = KeySet("https://i.example/jwks", fetch=lambda _: issuer.document())
    authenticate = Verifier(keys)
    token = issuer.token()
    assert authenticate(token) == "ada"
    issuer.rotate()
    keys.refresh_now()
    with pytest.raises(Unauthenticated, match="no key verifies"):
        authenticate(token)


def test_the_memory_has_a_bound() -> None:
    """The oldest is forgotten for a new one, and only as many are kept as the limit says."""
    memory = VerificationCache(limit=2)
    (key,) = SharedSecret(SECRET).current()
    for token in ("a", "b", "c"):
        memory.put(token, VerifiedToken(key, Claims(token, 0, {})))
    assert [memory.get(token) is not None for token in ("a", "b", "c")] == [False, True, True]
    assert CACHE_SIZE == 2_000


def test_nothing_is_remembered_under_a_part_of_a_token() -> None:
    """The digest is that of the whole token: whoever changes one character is unknown."""
    memory = VerificationCache()
    (key,) = SharedSecret(SECRET).current()
    memory.put(TOKEN, VerifiedToken(key, Claims("ada", 0, {})))
    for place in range(len(TOKEN)):
        other = TOKEN[:place] + ("A" if TOKEN[place] != "A" else "B") + TOKEN[place + 1 :]
        assert memory.get(other) is None


def test_any_text_can_be_asked_for() -> None:
    """What is no Unicode text is unknown, as other nonsense is."""
    assert VerificationCache().get("\ud800") is None
