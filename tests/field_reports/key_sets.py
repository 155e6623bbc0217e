"""Keys as issuers publish them: which are used, and why each other one is not.

Serialisers write null and empty values for what is not set, and RFC 7517, section 4, leaves all but
`kty` out at will. A key that is used has its algorithm beside it, another the reason.
"""

from typing import Any

from tests.field_reports.report import Report
from tests.token_forge import segment
from tests.token_issuer import SigningKey

RSA, EC, OKP = (SigningKey.make(name, "r1").public_jwk for name in ("RS256", "ES256", "EdDSA"))

DOTNET = "AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet#2254"
NULLS = "Abblix/Oidc.Server#263"
REASONS = "keycloak/keycloak#28004"

EMPTY: tuple[object, ...] = (None, "", [], {})
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth")
OTHERS = ("use", "alg", "key_ops", "kid", "k", "x5u", "x5c", "x5t", "x5t#S256")


def unset(key: dict[str, Any], value: object) -> dict[str, Any]:
    """Return the key with `value` for all that it may leave out, of its own kind and of others."""
    kinds = dict.fromkeys({"crv", "x", "y", "n", "e"} - key.keys(), value)
    return {**key, **kinds, **dict.fromkeys((*PRIVATE, *OTHERS), value)}


USED: list[Report[dict[str, Any], str]] = [
    Report(DOTNET, "empty lists", {**RSA, "key_ops": [], "oth": [], "x5c": []}, "RS256"),
    *(
        Report(
            NULLS, f"{key['kty']} with all that was not set as {value!r}", unset(key, value), alg
        )
        for key, alg in ((RSA, "RS256"), (EC, "ES256"), (OKP, "EdDSA"))
        for value in EMPTY
    ),
    Report("jose#594", "a private exponent of null", {**RSA, "d": None}, "RS256"),
    Report("jpadilla/pyjwt#857", "a key id of null", {**RSA, "kid": None}, "RS256"),
    Report("alexzautke/JWK#2", "one operation, as text", {**EC, "key_ops": "verify"}, "ES256"),
    Report(NULLS, "members that no RFC knows", {**OKP, "p": 1, "HasPrivateKey": False}, "EdDSA"),
]

IGNORED: list[Report[Any, str]] = [
    Report("apigee/microgateway-edgeauth#40", "null for a key", None, "it is not a JSON object"),
    *(
        Report(REASONS, name, key, reason)
        for name, key, reason in (
            ("no type", {**RSA, "kty": None}, "kty is missing"),
            ("a type that is no text", {**RSA, "kty": ["RSA"]}, "kty is not a string"),
            ("a secret", {"kty": "oct", "k": "c2Vj"}, 'kty is "oct", not "OKP", "EC" or "RSA"'),
            ("no curve", {**OKP, "crv": ""}, "crv is missing"),
            ("another curve", {**EC, "crv": "P-384"}, 'crv is "P-384", not "P-256"'),
            ("for encryption", {**RSA, "use": "enc"}, 'use is "enc", not "sig"'),
            ("another algorithm", {**RSA, "alg": "RS512"}, 'alg is "RS512", not "RS256"'),
            ("a long name", {**RSA, "alg": "a" * 65}, f'alg is "{"a" * 64}…", not "RS256"'),
            ("for signing alone", {**EC, "key_ops": ["sign"]}, 'key_ops does not contain "verify"'),
            ("operations by number", {**EC, "key_ops": 1}, 'key_ops does not contain "verify"'),
            ("a key id that is no text", {**OKP, "kid": 1}, "kid is not a string"),
            ("no modulus", {**RSA, "n": None}, "n is missing"),
            ("an exponent that is no text", {**RSA, "e": 65537}, "e is not a string"),
            ("a point off the curve", {**EC, "x": EC["y"]}, "the public key is malformed: x and y"),
            ("half a point", {**OKP, "x": "AAAA"}, "the public key is malformed: x"),
            (
                "a short key",
                {**RSA, "n": segment(b"\xff" * 128)},
                "the RSA key has 1024 bits, fewer than 2048",
            ),
        )
    ),
    *(
        Report(
            NULLS, f"a private {name}", {**RSA, name: "AAAA"}, f"it is a private key: it has {name}"
        )
        for name in PRIVATE
    ),
    Report(NULLS, "a private value", {**EC, "d": 0}, "it is a private key: it has d"),
    Report(NULLS, "a private seed", {**OKP, "d": "AAAA"}, "it is a private key: it has d"),
]
