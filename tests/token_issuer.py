"""An issuer of tokens whose key set is on a real socket, and which can fail in every way."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ALGORITHMS = ("EdDSA", "ES256", "RS256")

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass(frozen=True)
class SigningKey:
    """A private key, its algorithm and its `kid`."""

    algorithm: str
    key_id: str
    private: Private

    @classmethod
    def make(cls, algorithm: str, key_id: str) -> Self:
        """Return a new key for EdDSA, ES256 or RS256 (which takes some 60 ms)."""
        if algorithm == "EdDSA":
            return cls(algorithm, key_id, ed25519.Ed25519PrivateKey.generate())
        if algorithm == "ES256":
            return cls(algorithm, key_id, ec.generate_private_key(ec.SECP256R1()))
        return cls(algorithm, key_id, rsa.generate_private_key(65537, 2048))

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The JSON Web Key that an issuer publishes."""
        return {**_jwk(self.private), "kid": self.key_id, "use": "sig", "alg": self.algorithm}


@dataclass
class Issuer:
    """An issuer with one key for each of `algorithms`: `with Issuer() as issuer: …`.

    `keys` may be set at will, `extra` holds further members of the key set,
    `tls` makes it https; `answer` is how a request is answered; `paths` are
    the paths requested.
    """

    algorithms: Sequence[str] = ALGORITHMS
    keys: list[SigningKey] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answer: Answer = serving
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.rotate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the key set."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self._port}/jwks"

    @property
    def fetches(self) -> int:
        """How many requests there were."""
        return len(self.paths)

    def document(self) -> bytes:
        """Return the key set as it is published."""
        return json.dumps({"keys": [*(key.public_jwk for key in self.keys), *self.extra]}).encode()

    def key(self, alg: str) -> SigningKey:
        """Return the present key for `alg`."""
        return next(key for key in self.keys if key.algorithm == alg)

    def rotate(self) -> None:
        """Replace every key by a new one under a new `kid`."""
        self.keys = [SigningKey.make(alg, f"{alg}-{next(_key_ids)}") for alg in self.algorithms]

    def token(
        self,
        subject: str = "ada",
        alg: str = "EdDSA",
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return a token that holds for an hour; more `headers` and `claims` are added, or None."""
        key = self.key(alg)
        now = int(time.time())
        payload = {"sub": subject, "iat": now, "exp": now + 3600, **claims}
        header = {"kid": key.key_id, **(headers or {})}
        return jwt.encode(
            {name: value for name, value in payload.items() if value is not None},
            key.private,
            algorithm=alg,
            headers={name: value for name, value in header.items() if value is not None},
        )

    def start(self) -> None:
        """Listen, on the port of the time before."""
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_port
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def serving(handler: BaseHTTPRequestHandler, document: bytes) -> None:
    """Answer with the key set."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(document)


def failing(status: int) -> Answer:
    """Answer `status`, with the key set as the body."""

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(document)))
        handler.end_headers()
        handler.wfile.write(document)

    return answer


def redirecting(status: int) -> Answer:
    """Redirect to another path of this server, where the key set is."""

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        if handler.path == "/elsewhere":
            serving(handler, document)
        else:
            handler.send_response(status)
            handler.send_header("Location", "/elsewhere")
            handler.end_headers()

    return answer


def padded(length: int) -> Answer:
    """Answer with the key set after white space, `length` bytes in all."""

    def answer(handler: BaseHTTPRequestHandler, document: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        block = b" " * 65536
        for _ in range((length - len(document)) // len(block)):
            handler.wfile.write(block)
        handler.wfile.write(b" " * ((length - len(document)) % len(block)) + document)

    return answer


def saying(document: bytes) -> Answer:
    """Answer with `document` in place of the key set."""
    return lambda handler, _: serving(handler, document)


def silent(handler: BaseHTTPRequestHandler, document: bytes) -> None:
    """Say nothing until the caller hangs up."""
    handler.rfile.read(1)


def dripping_head(handler: BaseHTTPRequestHandler, document: bytes) -> None:
    """Begin a header that never ends, a byte at a time."""
    handler.send_response(200)
    handler.flush_headers()
    _drip(handler)


def dripping_body(handler: BaseHTTPRequestHandler, document: bytes) -> None:
    """Begin a body that never ends, a byte at a time."""
    handler.send_response(200)
    handler.end_headers()
    _drip(handler)


def _drip(handler: BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.01)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that hang up."""


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.paths.append(self.path)
            issuer.answer(self, issuer.document())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Write no log."""

    return Handler


def _jwk(private: Private) -> dict[str, Any]:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)


_key_ids = count(1)
