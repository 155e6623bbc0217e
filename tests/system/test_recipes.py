"""The recipes of `docs/authentication.md`: their very settings, under gunicorn, with such tokens.

The issuers are stand-ins at another address; what they sign has the form of the real ones' tokens.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import jwt
import pytest
from tests.databases import sqlite_database
from tests.processes import ROOT, Service, gunicorn
from tests.secret_values import SECRET
from tests.token_issuer import Issuer

PAGE = (ROOT / "docs" / "authentication.md").read_text()
KEYCLOAK_FOR_ENCRYPTION = {"kid": "enc", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": "AQ"}


class Recipe(NamedTuple):
    """A section of the page, and the tokens of the issuer that it is about.

    `refused` are claims that make a token which the issuer means for others.
    """

    heading: str
    alg: str
    subject: str
    claims: dict[str, Any]
    refused: list[dict[str, Any]]
    headers: dict[str, Any] = {}  # noqa: RUF012
    extra: list[Any] = []  # noqa: RUF012
    block: int = 0


AUTH0 = "https://your-tenant.eu.auth0.com/"
CLERK = "https://clerk.app.example"
KEYCLOAK = "https://sso.example/realms/work"
SUPABASE = "https://abcdefghijkl.supabase.co/auth/v1"
ANON_KEY = {"iss": "supabase", "role": "anon", "aud": None}

RECIPES = [
    Recipe(
        "Better Auth",
        "EdDSA",
        "Xb2kP9sLm4QvTz7RnY1wEa6HcJ8uDf3G",
        {"iss": "https://app.example", "aud": "https://app.example", "email": "ada@app.example"},
        [{"aud": "https://other.example"}, {"iss": "https://app.example/"}],
    ),
    Recipe(
        "Auth0",
        "RS256",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        {
            "iss": AUTH0,
            "aud": ["https://tasks.example", f"{AUTH0}userinfo"],
            "scope": "openid profile",
            "azp": "my_client_id",
        },
        [{"aud": "my_client_id"}, {"iss": AUTH0.rstrip("/")}],
        {"typ": "at+jwt"},
    ),
    Recipe(
        "Clerk",
        "RS256",
        "user_2cXWqQ1Jt7mTz5s8Zl0rVd3KbEf",
        {"iss": CLERK, "azp": "https://app.example", "sid": "sess_1", "nbf": 1, "v": 2},
        [{"iss": "https://clerk.other.example"}],
        {"cat": "cl_B7d4PD111AAA"},
    ),
    Recipe(
        "Keycloak",
        "RS256",
        "7c6e1d5a-5d0e-4a5c-8f0a-0a2f4f9a9e11",
        {"iss": KEYCLOAK, "aud": ["taskservice", "account"], "typ": "Bearer", "azp": "web"},
        [{"aud": "account"}, {"iss": "http://localhost:8080/realms/work"}],
        extra=[KEYCLOAK_FOR_ENCRYPTION],
    ),
    Recipe(
        "Supabase",
        "ES256",
        "0d5f3c1e-9a64-4d8e-b1a2-3f5c7e9d1b20",
        {"iss": SUPABASE, "aud": "authenticated", "role": "authenticated", "is_anonymous": False},
        [{"aud": "other"}, ANON_KEY],
    ),
    Recipe(
        "Supabase",
        "HS256",
        "0d5f3c1e-9a64-4d8e-b1a2-3f5c7e9d1b20",
        {"iss": SUPABASE, "aud": "authenticated", "role": "authenticated", "is_anonymous": False},
        [{"aud": "other"}, ANON_KEY],
        block=1,
    ),
]


def section(heading: str) -> str:
    """Return what stands under a heading of the page."""
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def documented(heading: str, block: int = 0) -> dict[str, str]:
    """Return the settings that the page gives there."""
    found = re.findall(r"^```ini\n(.*?)^```", section(heading), re.MULTILINE | re.DOTALL)
    return dict(line.split("=", 1) for line in found[block].splitlines())


@contextmanager
def serving(folder: Path, settings: dict[str, str], issuer: Issuer) -> Iterator[Service]:
    """Run the service as documented, but for the issuer's host and the secret's value."""
    given = dict(settings)
    if url := given.get("TASKSERVICE_JWKS_URL"):
        host = urlsplit(issuer.url).netloc
        given["TASKSERVICE_JWKS_URL"] = f"http://{host}{urlsplit(url).path}"
    if "TASKSERVICE_JWT_SECRET" in given:
        given["TASKSERVICE_JWT_SECRET"] = SECRET
    address = sqlite_database(folder)
    with gunicorn(folder, DATABASE_URL=address, WEB_CONCURRENCY="1", **given) as service:
        yield service


def signed(recipe: Recipe, issuer: Issuer, **changes: Any) -> str:
    """Return a token as the issuer of the recipe makes them."""
    claims = {**recipe.claims, **changes}
    if recipe.alg != "HS256":
        return issuer.token(recipe.subject, recipe.alg, recipe.headers, **claims)
    now = int(time.time())
    given = {"sub": recipe.subject, "iat": now, "exp": now + 3600, **claims}
    return jwt.encode({n: v for n, v in given.items() if v is not None}, SECRET, "HS256")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.heading} {recipe.alg}")
def test_a_recipe_works_as_it_stands(recipe: Recipe, tmp_path: Path) -> None:
    """Its tokens are taken, those for others are 401, and the keys come from its path."""
    settings = documented(recipe.heading, recipe.block)
    algorithms = [recipe.alg] if recipe.alg != "HS256" else []
    path = f"/api/tasks/{quote(recipe.subject, safe='')}/tasks"
    with (
        Issuer(algorithms, extra=recipe.extra) as issuer,
        serving(tmp_path, settings, issuer) as service,
    ):
        created = service("POST", path, signed(recipe, issuer), {"title": "Read a book"})
        assert (created.status, created.json["user_id"]) == (201, recipe.subject)
        for changes in recipe.refused:
            assert service("GET", path, signed(recipe, issuer, **changes)).status == 401
        fetched = urlsplit(settings.get("TASKSERVICE_JWKS_URL", "")).path
        assert set(issuer.paths) == ({fetched} if fetched else set())


def test_the_issuer_of_ones_own_works_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's Python is run, and what it makes is taken."""
    heading = "An issuer of your own"
    (code,) = re.findall(r"(?ms)^```python\n(.*?)^```$", section(heading))
    monkeypatch.setenv("TASKSERVICE_JWT_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    with Issuer([]) as issuer, serving(tmp_path, documented(heading), issuer) as service:
        assert service("GET", "/api/tasks/ada/tasks", names["token_for"]("ada")).status == 200
