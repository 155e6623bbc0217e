"""What a token must look like before anything in it is believed."""

import jwt
import pytest
from tests.token_forge import (
    CLAIMS,
    HEADER,
    SECRET,
    claiming,
    forge,
    headed,
    segment,
    sign,
    verifier,
)

from taskservice.core.authentication import Authenticate
from taskservice.core.errors import Unauthenticated

authenticate: Authenticate = verifier()


def refused(token: str, reason: str) -> None:
    with pytest.raises(Unauthenticated, match=reason):
        authenticate(token)


def test_a_good_token_names_its_subject() -> None:
    """A token that is signed, in form and in time is its subject's."""
    assert authenticate(forge()).owner == "ada"
    assert authenticate(jwt.encode(CLAIMS, SECRET, algorithm="HS256")).owner == "ada"


@pytest.mark.parametrize("length", [8193, 20_000])
def test_a_token_ends_at_8192_characters(length: int) -> None:
    """A token of 8,192 characters is read; a longer one is refused unread."""
    assert authenticate(_of_length(8192)).owner == "ada"
    refused(_of_length(length), "longer than 8192 characters")


def _of_length(length: int) -> str:
    """Return a valid token that long, for about any length."""
    for size in range(length):
        token = claiming(x="x" * (length * 3 // 4 - 140 + size))
        if len(token) >= length:
            return token
    raise AssertionError


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a", "a.b", forge() + ".", "." + forge(), forge() + ".e30"),
        f"{segment(HEADER)}.{segment(CLAIMS)}.",
        f"{segment(HEADER)}..{segment(b'x')}",
        f".{segment(CLAIMS)}.{segment(b'x')}",
    ],
)
def test_a_token_is_three_segments(token: str) -> None:
    """Too few, too many or empty segments are refused."""
    refused(token, "not have three segments")


@pytest.mark.parametrize("end", ["=", "==", "===", "\n", " ", "\x00", "%3D", "é", "\ud800"])
def test_nothing_may_follow_a_segment(end: str) -> None:
    """Padding, white space and anything else behind a segment are refused."""
    header, payload, signature = forge().split(".")
    for token in (
        sign(f"{header}{end}.{payload}") if end.isascii() else f"{header}{end}.{payload}.x",
        sign(f"{header}.{payload}{end}") if end.isascii() else f"{header}.{payload}{end}.x",
        f"{header}.{payload}.{signature}{end}",
    ):
        refused(token, "not in canonical base64url")


def test_padding_is_refused_where_it_belongs() -> None:
    """Even the padding that base64 asks for is refused (RFC 7515, section 2)."""
    header, payload, signature = forge().split(".")
    refused(f"{header}.{payload}.{signature}=", "not in canonical base64url")
    padded = segment(b"{} ") if len(segment(b"{} ")) % 4 else segment(b"{}") + "=="
    refused(sign(f"{header}.{padded}"), "not in canonical base64url")


def test_unused_bits_are_zero() -> None:
    """A last character whose unused bits are set is refused: it would be a second spelling."""
    token = forge()
    others = [token[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]
    same = [other for other in others if _octets(other) == _octets(token) and other != token]
    assert len(same) == 3
    for other in same:
        refused(other, "not in canonical base64url")


def _octets(token: str) -> bytes:
    return jwt.utils.base64url_decode(token.rpartition(".")[2])


def test_the_other_alphabet_is_refused() -> None:
    """`+` and `/` are base64, not base64url."""
    header, payload = segment({**HEADER, "x": "~~~???>>>"}), segment(CLAIMS)
    other = header.replace("-", "+").replace("_", "/")
    assert other != header
    refused(sign(f"{other}.{payload}"), "not in canonical base64url")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"[]", "the header is not a JSON object"),
        (b'"HS256"', "the header is not a JSON object"),
        (b"null", "the header is not a JSON object"),
        (b"{", "the header is not JSON: syntax error"),
        (b"\xff", "the header is not JSON: it is not UTF-8"),
        (b'{"alg":"none","alg":"HS256"}', "the header is not JSON: an object has a duplicate name"),
        (b'{"alg":"HS256","x":' + b"[" * 40 + b"]" * 40 + b"}", "header is not JSON: it is nested"),
    ],
)
def test_a_header_is_one_json_object(header: bytes, reason: str) -> None:
    """A header that is not an object, or names a member twice, is refused."""
    refused(forge(header=header), reason)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "the payload is not a JSON object"),
        (b"\x00", "the payload is not JSON"),
        (
            b'{"sub":"bob","sub":"ada","exp":4102444800}',
            "the payload is not JSON: an object has a duplicate",
        ),
        (
            b'{"sub":"ada","exp":1,"exp":4102444800}',
            "the payload is not JSON: an object has a duplicate name",
        ),
        (
            b'{"sub":"ada","x":' + b"[" * 2000 + b"]" * 2000 + b"}",
            "payload is not JSON: it is nested",
        ),
    ],
)
def test_a_payload_is_one_json_object(payload: bytes, reason: str) -> None:
    """A signed payload that is not an object, or makes a claim twice, is refused."""
    refused(forge(claims=payload), reason)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT"])
def test_typ_may_be_that_of_an_access_token(kind: str) -> None:
    """`typ` is `JWT` or `at+jwt`, in any case, or absent."""
    assert authenticate(headed(typ=kind)).owner == "ada"
    assert authenticate(forge(header={"alg": "HS256"})).owner == "ada"


@pytest.mark.parametrize(
    "kind", ["dpop+jwt", "logout+jwt", "id_token", "JWE", "", None, 1, True, ["JWT"], {"JWT": 1}]
)
def test_typ_of_another_token_kind_is_refused(kind: object) -> None:
    """A token of another kind is no access token (RFC 8725, section 3.11)."""
    refused(headed(typ=kind), "typ is not that of an access token")


@pytest.mark.parametrize("value", [["b64"], ["exp"], [], None, "b64"])
def test_crit_is_refused(value: object) -> None:
    """No extension is known, so every `crit` is one too many (RFC 7515, section 4.1.11)."""
    refused(headed(crit=value, b64=True, exp=1), "the header parameter crit is not allowed")


@pytest.mark.parametrize("value", [True, False])
def test_b64_is_refused(value: bool) -> None:
    """A payload that is not encoded is not taken, nor a header that speaks of it (RFC 7797)."""
    refused(headed(b64=value), "the header parameter b64 is not allowed")


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c"])
@pytest.mark.parametrize("value", ["http://127.0.0.1/keys", {"kty": "oct", "k": "eA"}, [], None])
def test_no_token_brings_its_own_key(name: str, value: object) -> None:
    """A header that brings a key or points to one is refused, whatever it points to."""
    refused(headed(**{name: value}), f"the header parameter {name} is not allowed")


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], ["a"], {}, {"a": 1}])
def test_kid_is_a_string(value: object) -> None:
    """A `kid` that is not a string is refused."""
    refused(headed(kid=value), "kid is not a string")


@pytest.mark.parametrize("value", ["", "1", "../../dev/null", "' OR 1=1 --", "\x00", "\ud800"])
def test_kid_chooses_nothing_where_there_is_one_secret(value: str) -> None:
    """With a shared secret a `kid` is looked up nowhere."""
    assert authenticate(headed(kid=value)).owner == "ada"


def test_members_that_mean_nothing_here_are_ignored() -> None:
    """Other members of the header are ignored (RFC 7515, section 4)."""
    assert authenticate(headed(x5t="abc", cty="JWT", zip="DEF", whatever=[1])).owner == "ada"


@pytest.mark.parametrize(
    "algorithm",
    [
        *(
            "none",
            "nOnE",
            "None",
            "NONE",
            "",
            "HS384",
            "HS512",
            "hs256",
            "HS256 ",
            "RS256",
            "ES256",
        ),
        *("EdDSA", "PS256", "dir", None, 1, True, ["HS256"], {"HS256": 1}),
    ],
)
def test_an_algorithm_that_is_not_configured_is_refused(algorithm: object) -> None:
    """Only the algorithm of the configured family is taken, by its exact name (RFC 8725, 3.1)."""
    refused(headed(alg=algorithm), "alg is not an allowed algorithm")
    assert authenticate(headed(alg="HS256")).owner == "ada"


def test_a_header_without_alg_is_refused() -> None:
    """A header must name its algorithm."""
    refused(forge(header={"typ": "JWT"}), "alg is not an allowed algorithm")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_longer_hash_with_the_right_secret_is_refused(algorithm: str) -> None:
    """HS512 for HS256 is refused, though the secret is the right one."""
    token = jwt.encode(CLAIMS, SECRET * 2, algorithm=algorithm)
    refused(token, "alg is not an allowed algorithm")


def test_an_unsigned_token_is_refused() -> None:
    """`alg: none` is refused, with an empty signature and with any other."""
    unsigned = jwt.encode(CLAIMS, "", algorithm="none")
    refused(unsigned, "not have three segments")
    refused(unsigned + segment(b"x"), "alg is not an allowed algorithm")


def test_a_signature_is_of_these_very_bytes() -> None:
    """Another secret, another payload, a shortened or lengthened signature: none verifies."""
    header, payload, signature = forge().split(".")
    octets = jwt.utils.base64url_decode(signature)
    for token in (
        forge(secret=SECRET + "."),
        f"{header}.{segment({**CLAIMS, 'sub': 'bob'})}.{signature}",
        f"{segment({**HEADER, 'x': 1})}.{payload}.{signature}",
        f"{header}.{payload}.{segment(octets[:-1])}",
        f"{header}.{payload}.{segment(octets + b'x')}",
        f"{header}.{payload}.{segment(bytes(32))}",
    ):
        refused(token, "no key verifies the signature")
