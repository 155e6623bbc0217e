"""Tokens that are no tokens of this service, and a few that only look so."""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from typing import Any

from tests.hostile.case import accepted, by_server, refused
from tests.hostile.messages import LIST, get
from tests.hostile.runner import AUDIENCE, ISSUER
from tests.secret_values import SECRET
from tests.token_forge import HEADER, Part, segment, sign
from tests.token_forge import forge as forge_with

NOW = time.time()
DAY = 86_400
CLAIMS = {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "exp": int(NOW) + DAY}


def forge(claims: Part = CLAIMS, header: Part = HEADER, secret: str = SECRET) -> str:
    return forge_with(claims, header, secret)


def claiming(**claims: Any) -> str:
    """Return a token with these claims changed or added; None leaves one out."""
    return forge({name: v for name, v in {**CLAIMS, **claims}.items() if v is not None})


def headed(**members: Any) -> str:
    """Return a token with these members of the header changed or added."""
    return forge(header={**HEADER, **members})


def written(**claims: str) -> str:
    """Return a token whose payload ends with these claims, each as JSON text."""
    members = ",".join(f'"{name}":{text}' for name, text in claims.items())
    rest = {name: value for name, value in CLAIMS.items() if name not in claims}
    return forge(f"{json.dumps(rest)[:-1]},{members}}}".encode())


def by_hash(name: str, algorithm: str) -> str:
    """Return a token that names `algorithm`, signed with the secret by HMAC with hash `name`."""
    signing_input = f"{segment({**HEADER, 'alg': algorithm})}.{segment(CLAIMS)}"
    digest = hmac.digest(SECRET.encode(), signing_input.encode(), getattr(hashlib, name))
    return f"{signing_input}.{segment(digest)}"


def unsigned(algorithm: str) -> str:
    return f"{segment({**HEADER, 'alg': algorithm})}.{segment(CLAIMS)}."


def standard(part: Part) -> str:
    """Return a part in base64 with padding, which a token does not have."""
    octets = part if isinstance(part, bytes) else json.dumps(part).encode()
    return b64encode(octets).decode()


def next_letter(token: str) -> str:
    """Return the token with a last letter that decodes to the same octets."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def swapped(token: str) -> str:
    """Return the token with another subject in its payload, and the signature that it had."""
    header, _, signature = token.split(".")
    return f"{header}.{segment({**CLAIMS, 'sub': 'bob'})}.{signature}"


TOKEN = forge()
HEAD, PAYLOAD, SIGNATURE = TOKEN.split(".")


def bearing(tokens: dict[str, str]) -> dict[str, bytes]:
    """Return a list read with each token."""
    return {name: get(token=token) for name, token in tokens.items()}


def authorized(*values: str) -> bytes:
    """Read the list with these `Authorization` headers."""
    return get(LIST, *(f"Authorization: {value}" for value in values), token=None)


BAD = {
    12: {
        "no algorithm": unsigned("none"),
        "no algorithm, in mixed case": unsigned("nOnE"),
        "no algorithm, in upper case": unsigned("NONE"),
        "no algorithm, with a signature": headed(alg="none"),
        "an empty algorithm": headed(alg=""),
        "an algorithm of null": headed(alg=None),
        "an algorithm that is a number": headed(alg=256),
        "an algorithm that is a list": headed(alg=["HS256"]),
        "an algorithm in lower case": headed(alg="hs256"),
        "an algorithm with a space": headed(alg="HS256 "),
        "an algorithm with NUL": headed(alg="HS256\0"),
        "an algorithm of another family": headed(alg="RS256"),
        "an algorithm of elliptic curves": headed(alg="ES256"),
        "a psychic signature": f"{segment({**HEADER, 'alg': 'ES256'})}.{PAYLOAD}.{'A' * 86}",
        "no algorithm member": forge(header={"typ": "JWT"}),
        "HS512 for HS256": by_hash("sha512", "HS512"),
        "HS384 for HS256": by_hash("sha384", "HS384"),
        "HS512 that says HS256": by_hash("sha512", "HS256"),
        "HS256 with another secret": forge(secret="another secret of thirty-two bytes or more"),
        "HS256 with an empty secret": forge(secret=""),
        "HS256 with a public secret": forge(secret="secret"),
        "HS256 with the secret and a line end": forge(secret=SECRET + "\n"),
        "a signature of another payload": swapped(TOKEN),
        "a signature of NUL": f"{HEAD}.{PAYLOAD}.{segment(bytes(32))}",
        "half a signature": f"{HEAD}.{PAYLOAD}.{segment(bytes(16))}",
        "a signature and more": TOKEN + "AAAA",
    },
    13: {
        "a key id that is a number": headed(kid=1),
        "a key id of null": forge(header={**HEADER, "kid": None}),
        "a key id that is a list": headed(kid=["a"]),
        "a key id that is an object": headed(kid={"$ne": ""}),
        "an address of keys": headed(jku="https://evil.example/keys.json"),
        "an address of keys on this host": headed(jku="http://127.0.0.1:1/"),
        "an address of a certificate": headed(x5u="https://evil.example/cert.pem"),
        "a certificate": headed(x5c=["MIIB"]),
        "a key of its own": headed(jwk={"kty": "oct", "k": "c2VjcmV0"}),
        "an unknown extension": headed(crit=["exp"]),
        "an extension of nothing": headed(crit=[]),
        "an extension that is a string": headed(crit="b64"),
        "a payload that is not encoded": headed(b64=False, crit=["b64"]),
        "another kind of token": headed(typ="dpop+jwt"),
        "a token for logging out": headed(typ="logout+jwt"),
        "a token of no kind": headed(typ=""),
        "a token whose kind is a number": headed(typ=1),
        "a token whose kind is null": forge(header={"alg": "HS256", "typ": None}),
    },
    14: {
        "no end": claiming(exp=None),
        "an end of null": written(exp="null"),
        "an end that is a string": claiming(exp=f"{int(NOW) + DAY}"),
        "an end that is true": claiming(exp=True),
        "an end that is a list": claiming(exp=[int(NOW) + DAY]),
        "an end that is NaN": written(exp="NaN"),
        "an end that is Infinity": written(exp="Infinity"),
        "an end beyond a double": written(exp="1e400"),
        "an end of 400 digits": written(exp="1" + "0" * 400),
        "an end of 20 digits": written(exp="1" + "0" * 19),
        "an end of 19 digits": written(exp="9" * 19),
        "an end after the year 9999": written(exp="253402300800"),
        "an end in the year 0": written(exp="-62135596801"),
        "an end in milliseconds": claiming(exp=int((NOW + DAY) * 1000)),
        "an end of zero": claiming(exp=0),
        "an end of minus zero": written(exp="-0.0"),
        "an end a minute ago": claiming(exp=NOW - 60),
        "a beginning tomorrow": claiming(nbf=NOW + DAY),
        "a beginning that is a string": claiming(nbf="0"),
        "a beginning of null": written(nbf="null"),
        "a beginning that is NaN": written(nbf="NaN"),
        "an issue tomorrow": claiming(iat=NOW + DAY),
        "an issue that is a string": claiming(iat="0"),
        "an issue of 400 digits": written(iat="9" * 400),
        "no issuer": claiming(iss=None),
        "another issuer": claiming(iss="https://evil.example"),
        "an issuer with a slash more": claiming(iss=ISSUER + "/"),
        "an issuer in another case": claiming(iss=ISSUER.upper()),
        "a list of issuers": claiming(iss=[ISSUER]),
        "no audience": claiming(aud=None),
        "another audience": claiming(aud="others"),
        "a part of the audience": claiming(aud=AUDIENCE[:-1]),
        "an audience of null": written(aud="null"),
        "an empty list of audiences": claiming(aud=[]),
        "a list of audiences with a number": claiming(aud=[AUDIENCE, 1]),
        "an audience that is an object": claiming(aud={AUDIENCE: True}),
    },
    15: {
        "no subject": claiming(sub=None),
        "a subject of null": written(sub="null"),
        "an empty subject": claiming(sub=""),
        "a subject that is a number": claiming(sub=1),
        "a subject that is true": claiming(sub=True),
        "a subject that is a list": claiming(sub=["ada"]),
        "a subject that is an object": claiming(sub={"id": "ada"}),
        "a subject of 129 characters": claiming(sub="a" * 129),
        "a subject of 300 characters": claiming(sub="a" * 300),
        "a subject with NUL": claiming(sub="ada\0"),
        "a subject with a space": claiming(sub=" ada"),
        "a subject with a line end": claiming(sub="ada\n"),
        "a subject that is a dot": claiming(sub="."),
        "a subject that is two dots": claiming(sub=".."),
        "a subject with a slash": claiming(sub="ada/tasks"),
        "a subject in full-width letters": claiming(sub="ａｄａ"),
        "a subject with a lone surrogate": written(sub='"ada\\ud800"'),
    },
    16: {
        "a subject given twice": written(sub='"ada","sub":"bob"'),
        "a subject given twice, alike": written(sub='"ada","sub":"ada"'),
        "an end given twice": written(exp=f'0,"exp":{int(NOW) + DAY}'),
        "a claim given twice, once escaped": written(sub='"bob","\\u0073ub":"ada"'),
        "an algorithm given twice": forge(header=b'{"alg":"none","alg":"HS256"}'),
        "a payload that is a list": forge(b"[]"),
        "a payload that is null": forge(b"null"),
        "a payload that is a string": forge(b'"ada"'),
        "a payload that is no JSON": forge(b"{"),
        "a payload that is no UTF-8": forge(b'{"sub":"\xff"}'),
        "a payload with a byte order mark": forge(b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()),
        "a payload in UTF-16": forge(json.dumps(CLAIMS).encode("utf-16")),
        "a payload nested 33 deep": written(deep="[" * 32 + "]" * 32),
        "a payload nested 2,000 deep": written(deep="[" * 2000 + "]" * 2000),
        "a payload of brackets": forge(b"[" * 4000),
        "a payload with NUL behind": forge(json.dumps(CLAIMS).encode() + b"\0"),
        "a header that is a list": forge(header=b'["HS256"]'),
        "a header nested 2,000 deep": forge(
            header=b'{"alg":"HS256","x":' + b"[" * 2000 + b"]" * 2000 + b"}"
        ),
        "a header that is no JSON": forge(header=b"HS256"),
        "a token of one part": HEAD,
        "a token of two parts": f"{HEAD}.{PAYLOAD}",
        "a token of four parts": f"{TOKEN}.{SIGNATURE}",
        "a token of five parts, as if encrypted": f"{HEAD}..{PAYLOAD}..{SIGNATURE}",
        "a token of dots": "..",
        "a token of 8,000 dots": "." * 8000,
        "a token without a header": f".{PAYLOAD}.{SIGNATURE}",
        "a token without a payload": f"{HEAD}..{SIGNATURE}",
        "a token without a signature": f"{HEAD}.{PAYLOAD}.",
        "a signature with padding": TOKEN + "=",
        "a payload with padding": sign(f"{HEAD}.{standard({**CLAIMS, 'x': 'pads'})}", SECRET),
        "a signature with another last letter": next_letter(TOKEN),
        "a signature with a letter too many": TOKEN + "A",
        "a payload in the other alphabet": sign(f"{HEAD}.{standard(b'{}>?>?>?')}", SECRET),
        "a token with a percent sign": TOKEN.replace(".", "%2E"),
        "a token with a letter that is no ASCII": TOKEN + "\xe9",
        "a token in JSON": json.dumps({"payload": PAYLOAD, "signatures": []}).replace(" ", ""),
    },
}

GOOD = {
    13: {
        "a key id that is a path": headed(kid="../../../../dev/null"),
        "a key id that is a query": headed(kid="' UNION SELECT 'x"),
        "a token of the kind at+jwt": headed(typ="at+jwt"),
        "a token of a kind in lower case": headed(typ="jwt"),
        "a token that does not say its kind": forge(header={"alg": "HS256"}),
    },
    14: {
        "an end that is a fraction": claiming(exp=NOW + DAY + 0.5),
        "a beginning within the leeway": claiming(nbf=NOW + 5),
        "an end at the last second of 9999": written(exp="253402300799"),
        "an audience among several": claiming(aud=["others", AUDIENCE]),
    },
    16: {
        "a token of 8,000 characters": claiming(padding="x" * 5800),
        "a payload nested 32 deep": written(deep="[" * 31 + "]" * 31),
    },
}

CASES = [
    *(
        case
        for n, tokens in BAD.items()
        for case in refused(n, 401, "unauthenticated", bearing(tokens))
    ),
    *(case for n, tokens in GOOD.items() for case in accepted(n, 200, bearing(tokens))),
    *by_server(
        16,
        431,
        bearing({f"a token of {size} KB": claiming(padding="x" * size * 750) for size in (9, 20)}),
    ),
    *refused(
        17,
        401,
        "unauthenticated",
        {
            "two tokens, the good one first": authorized("Bearer {ada}", "Bearer x.y.z"),
            "two tokens, the good one last": authorized("Bearer {bob}", "Bearer {ada}"),
            "the same token twice": authorized("Bearer {ada}", "Bearer {ada}"),
            "two tokens in one header": authorized("Bearer {bob}, Bearer {ada}"),
            "two schemes": authorized("Basic eDp5", "Bearer {ada}"),
            "a token as Basic": authorized("Basic {ada}"),
            "a token as Digest": authorized('Digest username="ada", response="{ada}"'),
            "a token as DPoP": authorized("DPoP {ada}"),
            "a token as Token": authorized("Token {ada}"),
            "a token without a scheme": authorized("{ada}"),
            "a scheme without a token": authorized("Bearer"),
            "a scheme twice": authorized("Bearer Bearer {ada}"),
            "a scheme with a colon": authorized("Bearer: {ada}"),
            "a scheme with an equals sign": authorized("Bearer={ada}"),
            "a scheme with a tab": authorized("Bearer\t{ada}"),
            "a scheme with a comma": authorized("Bearer {ada},"),
            "a token in quotes": authorized('Bearer "{ada}"'),
            "a token with a parameter": authorized("Bearer {ada}; charset=utf-8"),
            "a token with a no-break space": authorized("Bearer\xa0{ada}"),
            "an empty Authorization": authorized(""),
            "an Authorization that is no ASCII": authorized("\xc3\xa4\xff"),
            "a token in the query": get(f"{LIST}?access_token={{ada}}", token=None),
            "a token in a cookie": get(LIST, "Cookie: access_token={ada}", token=None),
            "a token in a fragment": get(f"{LIST}#access_token={{ada}}", token=None),
            "a token as user information": get("http://{ada}@tasks.example" + LIST, token=None),
        },
    ),
    *accepted(
        17,
        200,
        {
            "a scheme in lower case": authorized("bearer {ada}"),
            "a scheme in upper case": authorized("BEARER {ada}"),
            "a scheme with many spaces": authorized("Bearer    {ada}"),
            "spaces around a token": authorized("  Bearer {ada}  "),
        },
    ),
]
