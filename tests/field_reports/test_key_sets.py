"""Key sets that people had trouble with elsewhere."""

import json
from typing import Any

import pytest
from tests.field_reports.key_sets import IGNORED, OKP, RSA, USED
from tests.field_reports.report import Report
from tests.token_issuer import Issuer

from taskservice.adapters.jwt import KeySet, Verifier
from taskservice.adapters.jwt.jwk_set import read_key_set


def document(*members: object) -> bytes:
    return json.dumps({"keys": members}).encode()


@pytest.mark.parametrize("report", USED, ids=str)
def test_what_is_null_or_empty_is_absent(report: Report[dict[str, Any], str]) -> None:
    """A key with such members is used as one without them."""
    found = read_key_set(document(report.tried))
    (key,) = found.keys
    assert (key.algorithm_name, found.reasons()) == (report.right, "")
    assert key.key_id == (report.tried.get("kid") or None)


@pytest.mark.parametrize("report", IGNORED, ids=str)
def test_what_is_not_used_says_why(report: Report[object, str]) -> None:
    """By its place and its `kid`, without anything else of the key; the next is used."""
    keys, (ignored,) = read_key_set(document(report.tried, OKP))
    assert [key.algorithm_name for key in keys] == ["EdDSA"]
    assert ignored.reason == report.right


@pytest.mark.parametrize(
    ("key_id", "name"),
    [
        (None, "key 2"),
        ("", "key 2"),
        (7, "key 2"),
        ("r1", 'key 2 (kid "r1")'),
        ('"\x1b[2J☃', r'key 2 (kid "\"\u001b[2J\u2603")'),
        ("k" * 65, f'key 2 (kid "{"k" * 64}…")'),
    ],
)
def test_a_key_is_named_by_its_kid(key_id: object, name: str) -> None:
    """In ASCII and shortened, as an issuer may write anything there."""
    _, (ignored,) = read_key_set(document(OKP, {**RSA, "use": "enc", "kid": key_id}))
    assert str(ignored) == f'{name}: use is "enc", not "sig"'


def test_null_for_all_keys_is_none() -> None:
    """Go writes an empty list so (HewlettPackard/py-spiffe#176)."""
    found = read_key_set(b'{"keys": null}')
    assert (found, found.reasons()) == (((), ()), "it is empty")


def test_a_byte_order_mark_is_passed_over() -> None:
    """As a file has one that somebody uploaded by hand (RFC 8259, section 8.1)."""
    used, _ = read_key_set(b"\xef\xbb\xbf" + document(RSA))
    assert [key.key_id for key in used] == ["r1"]


@pytest.mark.parametrize("published", [None, "", "r1"])
def test_a_token_with_an_empty_kid_names_no_key(published: str | None) -> None:
    """Google's name none so, whatever the key is called (WICG/email-verification#43)."""
    issuer = Issuer(["EdDSA"])
    member = {**issuer.key("EdDSA").public_jwk, "kid": published}
    verify = Verifier(KeySet("https://i.example", fetch=lambda _: document(OKP, member)))
    assert verify(issuer.token("bob", headers={"kid": ""})).owner == "bob"
