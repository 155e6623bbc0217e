"""Tokens of a key-set issuer, over real sockets, while the issuer is up and while it is down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.processes import Service, gunicorn
from tests.system.conftest import command
from tests.token_issuer import Issuer

PATH = "/api/tasks/auth0%7Cada/tasks"
SUBJECT = "auth0|ada"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Iterator[Service]:
    """A service that knows the issuer, and its name and audience for tokens."""
    folder = tmp_path_factory.mktemp("issued")
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/tasks.db",
        "TASKSERVICE_JWKS_URL": issuer.url,
        "TASKSERVICE_JWT_ISSUER": "https://issuer.example/",
        "TASKSERVICE_JWT_AUDIENCE": "tasks",
    }
    command(folder, "db", "upgrade", DATABASE_URL=settings["DATABASE_URL"])
    with gunicorn(folder, **settings) as service:
        yield service


CLAIMS: dict[str, Any] = {"iss": "https://issuer.example/", "aud": ["tasks", "others"]}


@pytest.mark.parametrize("alg", ["EdDSA", "RS256", "ES256"])
def test_an_issuers_tokens_serve_on_while_it_is_down(
    service: Service, issuer: Issuer, alg: str
) -> None:
    """A token of the key set is accepted, and goes on being accepted during an outage."""
    token = issuer.token(SUBJECT, alg=alg, **CLAIMS)
    assert service("GET", PATH, token).status == 200
    issuer.stop()
    try:
        created = service("POST", PATH, token, {"title": "Buy milk"})
        assert (created.status, created.json["user_id"]) == (201, SUBJECT)
        assert service("GET", "/readyz").json["checks"]["keys"] == "ok"
        assert service("GET", PATH, token).status == 200
    finally:
        issuer.start()


@pytest.mark.parametrize(
    "claims", [{}, {"iss": "https://other.example/"}, {"aud": "others"}, {"exp": 1}, {"sub": None}]
)
def test_what_the_issuer_did_not_mean_for_us_is_401(
    service: Service, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """Another issuer, another audience, a token that has expired or names nobody: 401."""
    given = {**CLAIMS, **claims} if claims else {}
    subject = "" if "sub" in claims else SUBJECT
    token = issuer.token(subject, **{name: value for name, value in given.items() if value})
    assert service("GET", PATH, token).status == 401


def test_without_any_key_it_is_an_outage_and_no_401(tmp_path: Path, issuer: Issuer) -> None:
    """A process that never had a key is not ready and answers 503, until the issuer is there."""
    address = f"sqlite:///{tmp_path}/tasks.db"
    command(tmp_path, "db", "upgrade", DATABASE_URL=address)
    token = issuer.token(SUBJECT)
    issuer.stop()
    try:
        with gunicorn(tmp_path, DATABASE_URL=address, TASKSERVICE_JWKS_URL=issuer.url) as service:
            answer = service("GET", PATH, token)
            assert (answer.status, answer.json["type"]) == (503, "/problems/unavailable")
            ready = service("GET", "/readyz")
            assert (ready.status, ready.json["checks"]["keys"]) == (503, "unavailable")
            assert service("GET", "/livez").status == 200
            assert service("GET", PATH).status == 401
    finally:
        issuer.start()
