"""Fetching a key set over a real socket: success, limits, and failures."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPErrorProcessor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests import token_issuer as issuers
from tests.token_issuer import Issuer

from taskservice.adapters.jwt import KeySet, Verifier, fetch
from taskservice.adapters.jwt.fetch import fetch_key_set
from taskservice.core.errors import Unauthenticated, Unavailable


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(["EdDSA", "ES256"]) as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SOCKET_TIMEOUT", 0.2)
    monkeypatch.setattr(fetch, "TOTAL_TIMEOUT", 0.5)


def unavailable(url: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=f"^{reason}$") as failure:
        fetch_key_set(url)
    assert failure.value.__cause__ is None


def test_a_key_set_is_fetched(issuer: Issuer) -> None:
    """One GET brings the very bytes that the issuer sent."""
    assert fetch_key_set(issuer.url) == issuer.document()
    assert issuer.paths == ["/jwks"]


def test_the_query_belongs_to_the_address(issuer: Issuer) -> None:
    """An address is asked for whole, with its query."""
    fetch_key_set(f"{issuer.url}?tenant=a%20b")
    assert issuer.paths == ["/jwks?tenant=a%20b"]


def test_a_fetch_sends_user_agent_and_accept(issuer: Issuer) -> None:
    """An issuer is asked for JSON, by the service's name."""
    logged: dict[str, str] = {}

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        logged.update(handler.headers.items())
        issuers.serving(handler, document)

    issuer.answer = answer
    fetch_key_set(issuer.url)
    assert logged["Accept"] == "application/jwk-set+json, application/json"
    assert logged["User-Agent"] == "taskservice"


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("Mon, 09 Feb 2026 12:00:00 GMT", datetime(2026, 2, 9, 12, tzinfo=UTC)),
        ("Mon, 09 Feb 2026 12:00:00 -0000", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_the_date_of_a_response_is_returned(
    issuer: Issuer, said: str | None, moment: datetime | None
) -> None:
    """It is what `Date` says, where that is a moment, and none where it names no offset."""

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        handler.send_response_only(200)
        if said is not None:
            handler.send_header("Date", said)
        handler.end_headers()
        handler.wfile.write(document)

    issuer.answer = answer
    assert fetch.fetch(issuer.url).date == moment


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(issuer: Issuer, status: int) -> None:
    """A redirect is a failure, and its target is never asked."""
    issuer.answer = issuers.redirecting(status)
    unavailable(issuer.url, f"127.0.0.1 returned status {status}")
    assert issuer.paths == ["/jwks"]


@pytest.mark.parametrize("status", [201, 202, 203, 206, 400, 401, 404, 500, 503])
def test_only_200_is_an_answer(issuer: Issuer, status: int) -> None:
    """A key set under any other status is a failure."""
    issuer.answer = issuers.failing(status)
    unavailable(issuer.url, f"127.0.0.1 returned status {status}")


def test_a_failure_keeps_no_connection(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is none is closed, unread, though somebody should hold it still."""
    held: list[HTTPError] = []
    look = HTTPErrorProcessor.http_response

    def hold(self: HTTPErrorProcessor, request: Any, response: Any) -> Any:
        try:
            return look(self, request, response)
        except HTTPError as error:
            held.append(error)
            raise

    monkeypatch.setattr(HTTPErrorProcessor, "http_response", hold)
    issuer.answer = issuers.failing(500)
    unavailable(issuer.url, "127.0.0.1 returned status 500")
    assert [error.closed for error in held] == [True]


def test_a_key_set_ends_at_1_mib(issuer: Issuer) -> None:
    """1 MiB is read; a byte more is a failure."""
    issuer.answer = issuers.padded(1024 * 1024)
    assert len(fetch_key_set(issuer.url)) == 1024 * 1024
    issuer.answer = issuers.padded(1024 * 1024 + 1)
    unavailable(issuer.url, "127.0.0.1 sent more than 1048576 bytes")


def test_a_huge_key_set_is_not_read(issuer: Issuer) -> None:
    """Of 100 MB little more than 1 MiB leaves the issuer: the caller hangs up."""
    cut = threading.Event()

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        try:
            issuers.padded(100_000_000)(handler, document)
        except OSError:
            cut.set()
            raise

    issuer.answer = answer
    unavailable(issuer.url, "127.0.0.1 sent more than 1048576 bytes")
    assert cut.wait(30)


@pytest.mark.parametrize("answer", [issuers.silent, issuers.dripping_head, issuers.dripping_body])
@pytest.mark.usefixtures("impatient")
def test_a_slow_key_set_is_given_up(issuer: Issuer, answer: issuers.Answer) -> None:
    """An issuer that is silent, or sends a byte now and then for ever, is given up in time."""
    issuer.answer = answer
    unavailable(issuer.url, "127.0.0.1: TimeoutError")


@pytest.mark.timeout(30)
def test_the_whole_ends_before_a_long_operation(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent issuer is waited for until the whole time is over, and no longer."""
    monkeypatch.setattr(fetch, "SOCKET_TIMEOUT", 60.0)
    monkeypatch.setattr(fetch, "TOTAL_TIMEOUT", 0.2)
    issuer.answer = issuers.silent
    unavailable(issuer.url, "127.0.0.1: TimeoutError")


def test_the_time_is_used_to_its_end(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is read in the last second, and not after it."""
    monkeypatch.setattr(fetch, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr(fetch, "TOTAL_TIMEOUT", 1.0)
    assert fetch_key_set(issuer.url) == issuer.document()
    monkeypatch.setattr(fetch, "TOTAL_TIMEOUT", -1.0)
    unavailable(issuer.url, "127.0.0.1: TimeoutError")


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("impatient")
def test_a_handshake_that_does_not_come_is_given_up() -> None:
    """Over https the other side may be silent from the start: that ends in time too."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        unavailable(f"https://127.0.0.1:{server.getsockname()[1]}/jwks", "127.0.0.1: TimeoutError")


def test_the_limits_are_3_and_5_seconds() -> None:
    """A socket operation may take 3 s, the whole 5 s."""
    assert (fetch.SOCKET_TIMEOUT, fetch.TOTAL_TIMEOUT) == (3.0, 5.0)


def test_an_issuer_that_is_down_is_a_failure(issuer: Issuer) -> None:
    """A refused connection is a failure that names the host."""
    issuer.stop()
    unavailable(issuer.url, "127.0.0.1: ConnectionRefusedError")


def test_an_issuer_that_hangs_up_is_a_failure() -> None:
    """A connection that is closed without an answer is a failure."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/jwks"
        with pytest.raises(Unavailable, match=r"^127\.0\.0\.1: "):
            fetch_key_set(url)


def test_what_is_not_http_is_a_failure() -> None:
    """An answer in another protocol is a failure."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection = server.accept()[0]
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/jwks"
        unavailable(url, "127.0.0.1: BadStatusLine")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    address = x509.IPAddress(ip_address("127.0.0.1"))
    now, key_id = datetime.now(UTC), x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_id, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "issuer.pem"
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


def test_https_needs_a_trusted_certificate(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over https a key set is fetched from a certified host, and from no other."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with Issuer(["ES256"], tls=tls) as issuer:
        unavailable(issuer.url, "127.0.0.1: SSLCertVerificationError")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch_key_set(issuer.url) == issuer.document()
        unavailable(
            issuer.url.replace("127.0.0.1", "localhost"), "localhost: SSLCertVerificationError"
        )
    assert issuer.paths == ["/jwks"]


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("impatient")
def test_a_slow_key_set_over_https_is_given_up(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that never ends is given up in time over https as well."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Issuer(["ES256"], tls=tls) as issuer:
        issuer.answer = issuers.dripping_body
        unavailable(issuer.url, "127.0.0.1: TimeoutError")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "ftp://127.0.0.1/jwks",
        "data:,{}",
        "",
        "/jwks",
        "http://",
        "http://[",
    ],
)
def test_only_http_urls_are_fetched(url: str) -> None:
    """An address that is not http or https is a failure, and no file is read."""
    unavailable(url, "the URL of the key set must begin with https:// or http://")


@pytest.mark.parametrize(
    "url",
    [
        "http://{}@127.0.0.1:1/",
        "http://127.0.0.1:1/{}",
        "http://127.0.0.1:1/?{}",
        "http://127.0.0.1:{}/",
        "http://127.0.0.1:1/ \n{}",
        "http://user:{}@127.0.0.1/é",
    ],
)
def test_a_reason_contains_only_the_host(url: str) -> None:
    """User, password, path and query of the address appear in no reason."""
    with pytest.raises(Unavailable) as failure:
        fetch_key_set(url.format("kanarienvogel"))
    assert str(failure.value).startswith("127.0.0.1: ")
    assert "kanarienvogel" not in str(failure.value)


def test_the_proxy_of_the_environment_is_used(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`http_proxy` is respected, and so is `no_proxy`."""
    url = "http://issuer.invalid/jwks"
    monkeypatch.setenv("http_proxy", issuer.url.removesuffix("/jwks"))
    assert fetch_key_set(url) == issuer.document()
    assert issuer.paths == [url]
    monkeypatch.setenv("no_proxy", "issuer.invalid")
    with pytest.raises(Unavailable, match=r"^issuer\.invalid: "):
        fetch_key_set(url)


def test_a_proxy_without_a_name_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What urllib says in words, and not by an error, is none of ours to repeat."""
    monkeypatch.setenv("http_proxy", "http://")
    unavailable("http://issuer.invalid/jwks", "issuer.invalid: URLError")


def test_a_service_lives_through_its_issuers_day(issuer: Issuer) -> None:
    """Tokens are verified through an outage; after a rotation the new ones are, and the old not."""
    now = 0.0
    keys = KeySet(issuer.url, clock=lambda: now)
    verify = Verifier(keys)
    old = {alg: issuer.token("ada", alg) for alg in issuer.algorithms}
    assert [verify(token).owner for token in old.values()] == ["ada"] * 2
    issuer.stop()
    now += 3600
    assert [verify(token).owner for token in old.values()] == ["ada"] * 2
    issuer.rotate()
    issuer.start()
    now += 3600
    for token in old.values():
        with pytest.raises(Unauthenticated):
            verify(token)
    assert verify(issuer.token("bob", "ES256")).owner == "bob"


def test_a_service_that_starts_first_finds_its_issuer(issuer: Issuer) -> None:
    """Without an issuer at the start there is an outage, and no more once it is up."""
    now = 0.0
    issuer.stop()
    verify = Verifier(KeySet(issuer.url, clock=lambda: now))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1: ConnectionRefusedError"):
        verify(issuer.token())
    issuer.start()
    now += 1
    assert verify(issuer.token()).owner == "ada"


def test_a_token_causes_no_request_to_its_urls(issuer: Issuer) -> None:
    """Whatever addresses a token's header holds, only the configured one is ever asked."""
    verify = Verifier(KeySet(issuer.url))
    elsewhere = issuer.url.replace("/jwks", "/elsewhere")
    for name in ("jku", "x5u", "kid"):
        with pytest.raises(Unauthenticated):
            verify(issuer.token(headers={name: elsewhere}))
    for key_id in ("../elsewhere", "?a=b", "/etc/passwd", "a' OR 1=1 --"):
        with pytest.raises(Unauthenticated):
            verify(issuer.token(headers={"kid": key_id}))
    assert issuer.paths == ["/jwks", "/jwks"]


def test_a_broken_key_set_is_a_failure(issuer: Issuer) -> None:
    """An answer that is no key set is an outage where there was none before."""
    issuer.answer = issuers.saying(b"<html>")
    with pytest.raises(Unavailable, match="syntax error or unexpected end at line 1, column 1"):
        KeySet(issuer.url).refresh_now()
    issuer.answer = issuers.saying(issuer.document()[:-1])
    with pytest.raises(Unavailable, match="syntax error or unexpected end"):
        KeySet(issuer.url).refresh_now()
    issuer.extra = [{"kty": "oct", "k": "eA"}, None]
    issuer.answer = issuers.serving
    assert len(json.loads(fetch_key_set(issuer.url))["keys"]) == 4
    assert Verifier(KeySet(issuer.url))(issuer.token()).owner == "ada"
