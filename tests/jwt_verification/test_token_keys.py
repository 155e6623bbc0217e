"""Which keys are taken, and that each verifies with its own algorithm only."""

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from tests.token_forge import CLAIMS, NOW, SECONDS, SECRET, forge, sign, verifier
from tests.token_forge import segment as encoded
from tests.token_issuer import ALGORITHMS, Issuer, SigningKey

from taskservice.adapters.jwt import KeySet, KeySource, SharedSecret, Verifier, issue
from taskservice.adapters.jwt.jwk_set import read_key_set
from taskservice.core.errors import Unauthenticated
from taskservice.core.operations.readiness import Probe

issuer = Issuer()
verify = Verifier(KeySet("https://i.example", fetch=lambda _: issuer.document()))


def refused(token: str, reason: str = "no key verifies the signature") -> None:
    with pytest.raises(Unauthenticated, match=reason):
        verify(token)


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("headers", [{}, {"kid": None}, {"typ": "at+jwt"}])
def test_each_algorithm_of_a_key_set_verifies(alg: str, headers: dict[str, Any]) -> None:
    """EdDSA, ES256 and RS256 are taken, with a `kid` and without."""
    assert verify(issuer.token("bob", alg, headers)).owner == "bob"


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("named", ALGORITHMS)
def test_a_key_verifies_with_its_own_algorithm_only(alg: str, named: str) -> None:
    """A token whose `alg` and `kid` do not belong together is refused, rightly signed or not."""
    token = issuer.token(alg=alg, headers={"kid": issuer.key(named).key_id})
    if alg == named:
        assert verify(token).owner == "ada"
        return
    refused(token)
    header = encoded({"alg": named, "kid": issuer.key(alg).key_id})
    refused(f"{header}.{'.'.join(token.split('.')[1:])}")
    header = encoded({"alg": named})
    refused(f"{header}.{'.'.join(token.split('.')[1:])}")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_another_issuers_key_is_refused(alg: str) -> None:
    """A token of somebody else's key is refused, under a `kid` of ours and under none."""
    other = SigningKey.make(alg, "other")
    for key_id in (issuer.key(alg).key_id, None):
        headers = {"kid": key_id} if key_id else {}
        refused(jwt.encode(CLAIMS, other.private, alg, headers))


def test_a_public_key_is_no_secret() -> None:
    """A token that is signed with the public key as an HMAC secret is refused."""
    public = issuer.key("RS256").private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for secret in (pem, json.dumps(issuer.key("RS256").public_jwk)):
        refused(forge(secret=secret), "alg is not an allowed algorithm")
        for alg in ALGORITHMS:
            refused(sign(f"{encoded({'alg': alg})}.{encoded(CLAIMS)}", secret))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_families_do_not_mix(alg: str) -> None:
    """Where a secret is shared, no token of a key set is taken, nor the other way round."""
    with pytest.raises(Unauthenticated, match="alg is not an allowed algorithm"):
        verifier()(issuer.token(alg=alg))
    refused(forge(), "alg is not an allowed algorithm")
    assert not KeySet.algorithms & SharedSecret.algorithms


@pytest.mark.parametrize("alg", ["PS256", "RS384", "RS512"])
def test_an_algorithm_of_the_same_key_is_refused(alg: str) -> None:
    """An RSA key verifies RS256, and nothing else that RSA could."""
    token = jwt.encode(CLAIMS, issuer.key("RS256").private, alg)
    refused(token, "alg is not an allowed algorithm")


def public(key: Any, algorithm: type[Any], **members: object) -> dict[str, Any]:
    return {**algorithm.to_jwk(key, as_dict=True), **members}


def private(key: SigningKey, algorithm: type[Any]) -> dict[str, Any]:
    return {**algorithm.to_jwk(key.private, as_dict=True), "key_ops": ["sign", "verify"]}


RSA = public(issuer.key("RS256").private.public_key(), RSAAlgorithm)
EC = public(ec.generate_private_key(ec.SECP256R1()).public_key(), ECAlgorithm)
P384 = public(ec.generate_private_key(ec.SECP384R1()).public_key(), ECAlgorithm)
OKP = issuer.key("EdDSA").public_jwk
UNUSABLE: list[object] = [
    1,
    "key",
    [],
    {},
    {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256"},
    {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
    {"kty": ["RSA"]},
    {"kty": {"a": 1}},
    {**OKP, "crv": "X25519"},
    {**OKP, "crv": ["Ed25519"]},
    public(ed448.Ed448PrivateKey.generate().public_key(), OKPAlgorithm),
    public(ed448.Ed448PrivateKey.generate().public_key(), OKPAlgorithm, alg="EdDSA"),
    {**OKP, "use": "enc"},
    {**OKP, "use": ["sig"]},
    {**OKP, "alg": "ES256"},
    {**OKP, "alg": ["EdDSA"]},
    {**OKP, "alg": "Ed25519"},
    {**OKP, "key_ops": ["encrypt"]},
    {**OKP, "x": "AAAA"},
    {**OKP, "x": 1},
    {**OKP, "x": "é"},
    {k: v for k, v in OKP.items() if k != "x"},
    private(issuer.key("EdDSA"), OKPAlgorithm),
    private(issuer.key("ES256"), ECAlgorithm),
    private(issuer.key("RS256"), RSAAlgorithm),
    {**P384, "alg": "ES256"},
    {**EC, "alg": "ES384"},
    {**EC, "crv": "secp256k1"},
    {**EC, "x": EC["y"], "y": EC["x"]},
    {**EC, "y": 7},
    {k: v for k, v in EC.items() if k != "crv"},
    {**RSA, "alg": "PS256"},
    {**RSA, "e": "AQ"},
    {**RSA, "e": "AA"},
    {**RSA, "n": ""},
    {**RSA, "n": 5},
    {**RSA, "n": None, "e": None},
    {"kty": "RSA"},
    public(rsa.generate_private_key(65537, 2047).public_key(), RSAAlgorithm),  # noqa: S505
]


@pytest.mark.parametrize("member", UNUSABLE)
def test_an_unusable_key_does_not_spoil_the_others(member: object) -> None:
    """A key of another kind or use, broken, weak or private is left out, and the rest serves."""
    document = json.dumps({"keys": [member, EC, member], "x": 1}).encode()
    assert [key.algorithm_name for key in read_key_set(document).keys] == ["ES256"]


@pytest.mark.parametrize(
    ("member", "algorithm"),
    [
        (RSA, "RS256"),
        ({**RSA, "alg": "RS256", "use": "sig", "key_ops": ["verify"]}, "RS256"),
        ({**RSA, "crv": "P-256", "x5c": ["…"], "x5t": "…"}, "RS256"),
        (EC, "ES256"),
        ({**EC, "alg": "ES256"}, "ES256"),
        (OKP, "EdDSA"),
        ({k: v for k, v in OKP.items() if k not in {"kid", "use", "alg"}}, "EdDSA"),
    ],
)
def test_a_usable_key_is_bound_to_its_algorithm(member: object, algorithm: str) -> None:
    """A key is for the algorithm of its type, with and without `alg`, `use` and `kid`."""
    (key,) = read_key_set(json.dumps({"keys": [member]}).encode()).keys
    assert key.algorithm_name == algorithm


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "it is empty"),
        (b"<html>", "syntax error"),
        (b"\xef\xbb\xbf{}", "not a key set"),
        (b"[]", "it is not a key set"),
        (b"{}", "it is not a key set"),
        (b'{"keys": {}}', "it is not a key set"),
        (b'{"keys": [], "keys": []}', "an object has a duplicate name"),
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes, reason: str) -> None:
    """A document of another shape is refused whole."""
    with pytest.raises(ValueError, match=reason):
        read_key_set(document)


@pytest.mark.parametrize("members", [[], UNUSABLE])
def test_a_set_may_hold_no_usable_key(members: list[object]) -> None:
    """Keys of no use are left out, down to none."""
    found = read_key_set(json.dumps({"keys": members}).encode())
    assert (found.keys, len(found.ignored)) == ((), len(members))


def test_at_most_10_ignored_keys_are_named() -> None:
    """However many there are, what is said of them stays short."""
    found = read_key_set(json.dumps({"keys": [1] * 12}).encode())
    named = [f"key {number}: it is not a JSON object" for number in range(1, 11)]
    assert found.reasons() == "; ".join([*named, "2 more"])
    assert found._replace(ignored=found.ignored[:10]).reasons() == "; ".join(named)


def test_a_key_is_found_by_its_kid() -> None:
    """With a `kid`, only the keys of that name are tried; without, every key of the algorithm."""
    one, two, three = (SigningKey.make("EdDSA", name) for name in ("one", "two", "two"))
    document = json.dumps({"keys": [one.public_jwk, two.public_jwk, three.public_jwk]}).encode()
    keys = KeySet("https://i.example", fetch=lambda _: document)
    assert [key.key_id for key in keys.candidates("EdDSA", "one")] == ["one"]
    assert [key.key_id for key in keys.candidates("EdDSA", "two")] == ["two", "two"]
    assert [key.key_id for key in keys.candidates("EdDSA", None)] == ["one", "two", "two"]
    assert keys.candidates("EdDSA", "three") == []
    assert keys.candidates("ES256", "one") == []
    assert keys.candidates("ES256", None) == []
    for key in (one, two, three):
        token = jwt.encode(CLAIMS, key.private, "EdDSA", {"kid": key.key_id})
        assert Verifier(keys, clock=lambda: NOW)(token).owner == "ada"


def test_a_key_without_a_kid_has_no_name() -> None:
    """A token that names a key is not tried on keys without a name."""
    member = {name: value for name, value in OKP.items() if name != "kid"}
    keys = KeySet("https://i.example", fetch=lambda _: json.dumps({"keys": [member]}).encode())
    assert len(keys.candidates("EdDSA", None)) == 1
    assert keys.candidates("EdDSA", "any") == []


def test_at_most_8_keys_are_tried() -> None:
    """A token without a `kid` costs at most 8 signatures, however many keys there are."""
    members = [SigningKey.make("EdDSA", str(n)).public_jwk for n in range(20)]
    keys = KeySet("https://i.example", fetch=lambda _: json.dumps({"keys": members}).encode())
    assert [key.key_id for key in keys.candidates("EdDSA", None)] == list("01234567")
    assert [key.key_id for key in keys.candidates("EdDSA", "19")] == ["19"]


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "at least 32 bytes"),
        ("x" * 31, "at least 32 bytes"),
        ("é" * 15, "at least 32 bytes"),
        ("\udcff" * 40, "Unicode text"),
        ("ssh-rsa " + "A" * 40, "not a public key"),
        (
            issuer.key("RS256")
            .private.public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode(),
            "not a public key",
        ),
    ],
)
def test_a_weak_secret_is_refused(secret: str, reason: str) -> None:
    """A secret under 32 bytes, or one that the world has, never becomes a key."""
    with pytest.raises(ValueError, match=reason):
        SharedSecret(secret)


def test_a_secret_is_counted_in_bytes() -> None:
    """32 bytes are enough, and they are bytes of UTF-8."""
    for secret in ("x" * 32, "é" * 16):
        verify = Verifier(SharedSecret(secret), clock=lambda: NOW)
        assert verify(forge(secret=secret)).owner == "ada"


def test_a_secret_is_always_ready() -> None:
    """A shared secret serves HS256 alone, and its probe never fails."""
    keys: KeySource = SharedSecret(SECRET)
    probe: Probe = keys.probe
    probe()
    assert keys.algorithms == {"HS256"}
    assert len(keys.candidates("HS256", "any")) == 1
    assert len(keys.candidates("HS512", None)) == 0


def test_an_issued_token_is_verified() -> None:
    """What `issue` makes, the verifier takes: with the configured issuer, audience and claim."""
    day = timedelta(days=1)
    assert verifier()(issue(SECRET, "ada", lifetime=day, now=NOW)).owner == "ada"
    setting = {"issuer": "https://i.example", "audience": "tasks", "subject_claim": "user"}
    token = issue(SECRET, "bob", lifetime=day, now=NOW, **setting)
    assert verifier(**setting)(token).owner == "bob"
    claims = jwt.decode(token, options={"verify_signature": False})
    start, end = int(SECONDS), int(SECONDS) + 86400
    expected = {"user": "bob", "iss": "https://i.example", "aud": "tasks"}
    assert claims == {**expected, "iat": start, "exp": end}


def test_a_token_says_no_more_than_it_was_given() -> None:
    """Without issuer and audience, a token holds the subject and its times."""
    token = issue(SECRET, "ada", lifetime=timedelta(seconds=90), now=NOW)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {"sub": "ada", "iat": int(SECONDS), "exp": int(SECONDS) + 90}
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secret": "x" * 31}, "at least 32 bytes"),
        ({"subject": ""}, "not a valid user id"),
        ({"subject": ".."}, "not a valid user id"),
        ({"subject": "a b"}, "not a valid user id"),
        ({"lifetime": timedelta(0)}, "lifetime is not positive"),
        ({"lifetime": timedelta(days=-1)}, "lifetime is not positive"),
        ({"lifetime": timedelta(days=10**8)}, "lifetime is too long"),
    ],
)
def test_what_would_be_refused_is_not_issued(changes: dict[str, Any], reason: str) -> None:
    """No token is made that the verifier would refuse."""
    given = {"secret": SECRET, "subject": "ada", "lifetime": timedelta(days=1), "now": NOW}
    with pytest.raises(ValueError, match=reason):
        issue(**{**given, **changes})
