"""Any string is a subject's token or `Unauthenticated`, and no reason tells what was in it."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.token_forge import CLAIMS, HEADER, forge, segment, verifier
from tests.token_issuer import ALGORITHMS, Issuer

from taskservice.adapters.jwt import KeySet, Verifier
from taskservice.core.authentication import Authenticate
from taskservice.core.errors import Unauthenticated

issuer = Issuer()
by_secret = verifier()
by_key_set = Verifier(KeySet("https://i.example", fetch=lambda _: issuer.document()))
VALID = [(by_secret, forge()), *((by_key_set, issuer.token(alg=alg)) for alg in ALGORITHMS)]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("ada"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
shaped = st.text() | st.lists(
    st.binary().map(segment) | st.text("Aa0-_=+/. \n\x00é"), min_size=2, max_size=4
).map(".".join)


def members(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names) | st.text(), anything, max_size=5)


headers = members("alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5c", "zip", "enc", "cty")
claim_sets = members("sub", "exp", "nbf", "iat", "iss", "aud", "jti", "azp", "client_id")


@pytest.mark.parametrize("verify", [by_secret, by_key_set])
@given(token=shaped)
def test_no_string_does_more_than_be_refused(verify: Verifier, token: str) -> None:
    """Any text is refused as such."""
    with pytest.raises(Unauthenticated):
        verify(token)


@pytest.mark.parametrize(("verify", "valid"), VALID)
def test_what_is_altered_was_valid(verify: Verifier, valid: str) -> None:
    """The tokens that the next test alters are good ones."""
    assert verify(valid).owner == "ada"


@pytest.mark.parametrize(("verify", "valid"), VALID)
@given(data=st.data())
def test_a_token_has_one_spelling(verify: Verifier, valid: str, data: st.DataObject) -> None:
    """A valid token is refused after any change of a stretch of it, be it one bit."""
    start = data.draw(st.integers(0, len(valid)))
    end = data.draw(st.integers(start, min(len(valid), start + 3)))
    stretch = data.draw(st.text("ABab01-_=.+/ \n\x00é\ud800", max_size=3))
    altered = valid[:start] + stretch + valid[end:]
    assume(altered != valid)
    with pytest.raises(Unauthenticated):
        verify(altered)


def outcome(verify: Authenticate, token: str) -> str | None:
    try:
        return verify(token).owner
    except Unauthenticated:
        return None


@given(headers)
def test_any_header_is_taken_or_refused(header: dict[str, Any]) -> None:
    """Any header, rightly signed, is the subject's token or `Unauthenticated`."""
    assert outcome(by_secret, forge(header={**HEADER, **header})) in {"ada", None}
    for token in (forge(header=header), forge(header={"alg": "RS256", **header})):
        assert outcome(by_key_set, token) is None


@given(claim_sets)
def test_any_claims_are_taken_or_refused(claims: dict[str, Any]) -> None:
    """Any claims, rightly signed, give their own subject or `Unauthenticated`."""
    claims = {**CLAIMS, **claims}
    assert outcome(by_secret, forge(claims)) in {claims["sub"] if _is_text(claims) else None, None}


def _is_text(claims: dict[str, Any]) -> bool:
    return isinstance(claims["sub"], str)


@given(st.binary(), st.binary())
def test_any_parts_are_taken_or_refused(header: bytes, payload: bytes) -> None:
    """Any bytes, rightly signed, are refused."""
    for token in (forge(payload, header), forge(payload), forge(header=header)):
        assert outcome(by_secret, token) is None


CANARY = "kanarienvogel"


@pytest.mark.parametrize(
    "token",
    [CANARY, f"{CANARY}.{CANARY}.{CANARY}", f"{CANARY}=.{CANARY}.x"]
    + [forge(header={**HEADER, name: CANARY}) for name in ("alg", "typ", "crit", "jku", "jwk")]
    + [forge(header={**HEADER, "kid": [CANARY]}), forge(header={**HEADER, CANARY: 1, "alg": 1})]
    + [forge(header=f'{{"{CANARY}":1,"{CANARY}":2}}'.encode()), forge(header=CANARY.encode())]
    + [forge({**CLAIMS, name: CANARY}) for name in ("exp", "nbf", "iat", "iss", "aud")]
    + [forge({**CLAIMS, "sub": f"{CANARY} {CANARY}"}), forge(CANARY.encode())]
    + [forge({**CLAIMS, "sub": CANARY}, secret=CANARY * 3)],
)
def test_a_reason_holds_no_part_of_the_token(token: str) -> None:
    """What was refused appears in no reason, nor in an exception behind it."""
    with pytest.raises(Unauthenticated) as refusal:
        verifier(issuer="https://i.example", audience="tasks")(token)
    assert CANARY not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ is (refusal.value.__context__ is not None)


def test_a_reason_holds_no_kid() -> None:
    """An unknown `kid` appears in no reason."""
    with pytest.raises(Unauthenticated) as refusal:
        by_key_set(issuer.token(headers={"kid": CANARY}))
    assert str(refusal.value) == "no key verifies the signature"
