"""`taskservice token --explain`: the verifier's reason, with the token's claims."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import jwt
import pytest
from tests.processes import COMMAND, environment, run
from tests.secret_values import SECRET
from tests.token_issuer import Issuer

from taskservice.adapters.jwt import issue
from taskservice.cli.explain_token import explain
from taskservice.config import Settings

OTHER = "another secret of the tests, 32 bytes and more of it"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


def explained(folder: Path, token: str, **settings: str) -> tuple[int, list[str], str]:
    """Return exit status, lines with single spaces, and standard error."""
    result = run([*COMMAND, "token", "--explain", token], folder, **settings)
    output = result.stdout + result.stderr
    assert SECRET not in output
    assert token.rpartition(".")[2] not in output
    return (
        result.returncode,
        [" ".join(line.split()) for line in result.stdout.splitlines()],
        (result.stderr),
    )


def signed_token(secret: str = SECRET, **claims: Any) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    given = {"sub": "ada", "iat": now, "exp": now + timedelta(minutes=59, seconds=59), **claims}
    return jwt.encode({n: v for n, v in given.items() if v is not None}, secret, "HS256")


def test_an_accepted_token_shows_its_user(tmp_path: Path) -> None:
    """With algorithm, claims, times and the clock; the exit status is 0."""
    status, lines, error = explained(tmp_path, signed_token(), TASKSERVICE_JWT_SECRET=SECRET)
    assert (status, error) == (0, "")
    assert lines[0] == 'alg "HS256" (supported: HS256)'
    assert 'sub "ada"' in lines
    assert any(line.startswith("exp ") and "in 0:59:" in line for line in lines)
    assert lines[-2].startswith("clock 20")
    assert lines[-1] == "accepted: the user is ada, the path /api/tasks/ada/tasks"


def test_an_accepted_token_shows_its_client(tmp_path: Path) -> None:
    """With the claims that may name it."""
    token = signed_token(azp="todo-app", client_id="other")
    status, lines, _ = explained(tmp_path, token, TASKSERVICE_JWT_SECRET=SECRET)
    assert {'azp "todo-app"', 'client_id "other"'} <= {*lines}
    verdict = "accepted: the user is ada, the client todo-app, the path /api/tasks/ada/tasks"
    assert (status, lines[-1]) == (0, verdict)


AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
VALID = {"iss": "https://i/", "aud": "tasks"}

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "expired": ({**VALID, "exp": AN_HOUR_AGO}, "the token has expired", "exp "),
    "without end": ({"exp": None}, "exp is missing", "exp is missing (required)"),
    "early": (
        {**VALID, "nbf": 4102444800},
        "nbf is in the future",
        "nbf 4102444800 (2100-01-01T00:00:00Z, in",
    ),
    "foreign": ({"iss": "x"}, "iss is not the configured issuer", 'iss "x" (must be "https://i/")'),
    "for others": (
        {**VALID, "aud": ["x"]},
        "aud does not contain the configured audience",
        'aud ["x"] (must be "tasks")',
    ),
    "nobody's": ({**VALID, "sub": "a b"}, "sub is not a valid user id", 'sub "a b"'),
    "another's": ({"secret": OTHER}, "no key verifies the signature", 'sub "ada"'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_token_shows_the_reason(tmp_path: Path, name: str) -> None:
    """It is the reason in the service's log; a line shows the claim in question."""
    claims, reason, line = REFUSED[name]
    settings = {
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_JWT_ISSUER": "https://i/",
        "TASKSERVICE_JWT_AUDIENCE": "tasks",
    }
    status, lines, error = explained(tmp_path, signed_token(**claims), **settings)
    assert (status, error) == (2, f"Error: refused: {reason}\n")
    assert any(one.startswith(line) for one in lines), lines


def test_a_malformed_token_is_refused(tmp_path: Path) -> None:
    """It has no header or claims to show."""
    status, lines, error = explained(tmp_path, "not.a-token", TASKSERVICE_JWT_SECRET=SECRET)
    assert (status, error) == (2, "Error: refused: the token does not have three segments\n")
    assert [line.split()[0] for line in lines] == ["clock"]


def test_an_unknown_key_is_shown(issuer: Issuer, tmp_path: Path) -> None:
    """With the known key ids, and the issuer's clock."""
    settings = {"TASKSERVICE_JWKS_URL": issuer.url}
    token = issuer.token(headers={"kid": "old"})
    status, lines, error = explained(tmp_path, token, **settings)
    known = issuer.key("EdDSA").key_id
    assert f'kid "old" (the issuer has no such key for EdDSA; it has "{known}")' in lines
    assert (status, error.splitlines()[-1]) == (2, "Error: refused: no key verifies the signature")
    assert lines[-1].endswith(", the issuer's")
    status, lines, _ = explained(tmp_path, issuer.token(), **settings)
    assert (status, lines[1]) == (0, f'kid "{known}" (the issuer has this key)')


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({"kid": "e1"}, 'the issuer has this key, but it is ignored: use is "enc", not "sig"'),
        ({"kid": ""}, None),
    ],
)
def test_an_ignored_key_is_shown(headers: dict[str, str], known: str | None) -> None:
    """With the reason; an empty `kid` names no key."""
    with Issuer(["EdDSA"]) as issuer:
        issuer.extra = [{"kty": "RSA", "kid": "e1", "use": "enc"}]
        settings = Settings(database_url="", jwks_url=issuer.url)
        lines = list(islice(explain(issuer.token(headers=headers), settings), 2))
    note = f"  ({known})" if known else ""
    assert lines[1] == f'kid       "{headers["kid"]}"{note}'


def test_an_unsupported_algorithm_is_shown(issuer: Issuer, tmp_path: Path) -> None:
    """Beside the supported ones."""
    _, lines, error = explained(tmp_path, signed_token(), TASKSERVICE_JWKS_URL=issuer.url)
    assert lines[0] == 'alg "HS256" (supported: ES256, EdDSA, RS256)'
    assert error == "Error: refused: alg is not an allowed algorithm\n"


def test_a_token_is_read_from_standard_input(tmp_path: Path) -> None:
    """`-` keeps it out of process list and shell history; the prefix `Bearer` is removed."""
    result = subprocess.run(
        [*COMMAND, "token", "--explain", "-"],
        cwd=tmp_path,
        env=environment(TASKSERVICE_JWT_SECRET=SECRET),
        input=f"Bearer {signed_token()}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("accepted: the user is ada, the path /api/tasks/ada/tasks\n")


def test_control_characters_of_a_claim_are_escaped(tmp_path: Path) -> None:
    """A forged token may contain anything: claims are printed as JSON in ASCII."""
    token = signed_token(sub="\x1b[2J☃" + "x" * 300)
    _, lines, _ = explained(tmp_path, token, TASKSERVICE_JWT_SECRET=SECRET)
    (shown,) = [line for line in lines if line.startswith("sub ")]
    assert shown.startswith('sub "\\u001b[2J\\u2603xxx')
    assert len(shown) < 220


@pytest.mark.parametrize("arguments", [[], ["ada", "--explain", "x"]])
def test_either_user_or_token_is_required(tmp_path: Path, arguments: list[str]) -> None:
    """Neither, or both, is a usage error."""
    result = run([*COMMAND, "token", *arguments], tmp_path, TASKSERVICE_JWT_SECRET=SECRET)
    assert result.returncode == 2
    assert "give either USER or --explain TOKEN" in result.stderr


def test_the_development_secret_is_used(tmp_path: Path) -> None:
    """As by `taskservice token USER`."""
    (tmp_path / "taskservice.secret").write_text(OTHER)
    (tmp_path / "taskservice.secret").chmod(0o600)
    token = issue(OTHER, "demo", lifetime=timedelta(hours=1), now=datetime.now(UTC))
    status, lines, _ = explained(tmp_path, token)
    assert (status, lines[-1]) == (0, "accepted: the user is demo, the path /api/tasks/demo/tasks")
