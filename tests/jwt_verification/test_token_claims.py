"""When a token holds, who made it for whom, and whose it is."""

from datetime import timedelta
from runpy import run_path

import pytest
from tests.token_forge import CLAIMS, NOW, SECONDS, SECRET, claiming, forge, verifier

from taskservice.adapters.jwt import SharedSecret, Verifier, claims
from taskservice.core.authentication import ALL_SCOPES
from taskservice.core.errors import Unauthenticated

YEAR_9999 = 253_402_300_799


def subject(token: str, **settings: object) -> str:
    return verifier(**settings)(token).owner


def refused(token: str, reason: str, **settings: object) -> None:
    with pytest.raises(Unauthenticated, match=reason):
        subject(token, **settings)


def test_exp_is_required() -> None:
    """A token that never ends is refused."""
    refused(claiming(exp=None), "exp is missing")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1770000000", "", True, False, [], [1], {}, {"a": 1}])
def test_a_time_is_a_number(name: str, value: object) -> None:
    """A string, a boolean or a container is no time."""
    refused(claiming(**{name: value}), f"{name} is not a number")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_time_is_not_null(name: str) -> None:
    """`null` is no time, and not the same as absent."""
    refused(forge({**CLAIMS, name: None}), f"{name} is not a number")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [YEAR_9999 + 1, 10**18, 1e300, -1e300, -(10**18)])
def test_a_time_must_be_representable(name: str, value: float) -> None:
    """A number that is no moment of the years 1 to 9999 is refused."""
    refused(claiming(**{name: value}), f"{name} is out of range")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    ("literal", "reason"),
    [
        ("1e400", "a number is out of the range of a double"),
        ("1" + "0" * 400, "an integer has over 19 digits"),
        ("NaN", "it contains NaN or Infinity"),
        ("Infinity", "it contains NaN or Infinity"),
        ("-Infinity", "it contains NaN or Infinity"),
    ],
)
def test_a_time_is_finite(name: str, literal: str, reason: str) -> None:
    """1e400, 10^400 and NaN are refused as JSON."""
    payload = f'{{"sub":"ada","exp":{SECONDS + 60},"{name}":{literal}}}'
    if name == "exp":
        payload = f'{{"sub":"ada","exp":{literal}}}'
    refused(forge(payload.encode()), f"the payload is not JSON: {reason}")


def test_exp_is_allowed_30_seconds() -> None:
    """A token is refused from 30 s after `exp`, and not before."""
    assert subject(claiming(exp=SECONDS - 29.999)) == "ada"
    assert subject(claiming(exp=int(SECONDS) - 29)) == "ada"
    refused(claiming(exp=int(SECONDS) - 30), "the token has expired")
    refused(claiming(exp=SECONDS - 30.001), "the token has expired")
    refused(claiming(exp=0), "the token has expired")
    refused(claiming(exp=-1), "the token has expired")
    assert subject(claiming(exp=YEAR_9999)) == "ada"


@pytest.mark.usefixtures("far_from_utc")
def test_the_last_moment_is_the_same_wherever_the_machine_is() -> None:
    """The module is executed anew there."""
    assert run_path(claims.__file__)["_MAX_TIME"] == YEAR_9999


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_the_future_is_allowed_30_seconds(name: str) -> None:
    """`nbf` and `iat` may lie up to 30 s ahead, and not more."""
    assert subject(claiming(**{name: int(SECONDS) + 30})) == "ada"
    assert subject(claiming(**{name: SECONDS + 29.5})) == "ada"
    refused(claiming(**{name: int(SECONDS) + 31}), f"{name} is in the future")
    refused(claiming(**{name: SECONDS + 30.5}), f"{name} is in the future")
    assert subject(claiming(**{name: -1})) == "ada"


def test_leeway_can_be_none() -> None:
    """The leeway is a setting of the verifier, in seconds."""
    assert subject(claiming(exp=SECONDS + 1), leeway=0) == "ada"
    refused(claiming(exp=SECONDS), "the token has expired", leeway=0)


def test_a_token_expires_while_the_process_runs() -> None:
    """The clock is read for each token."""
    now = NOW
    verify = Verifier(SharedSecret(SECRET), clock=lambda: now)
    assert verify(forge()).owner == "ada"
    now += timedelta(seconds=631)
    with pytest.raises(Unauthenticated, match="the token has expired"):
        verify(forge())


def test_the_issuer_is_compared() -> None:
    """Where an issuer is configured, `iss` is that string exactly."""
    assert subject(claiming(iss="https://i.example"), issuer="https://i.example") == "ada"
    for wrong in ("https://i.example/", "https://I.example", "", None, 1, ["https://i.example"]):
        refused(claiming(iss=wrong), "iss is not the configured", issuer="https://i.example")
    refused(forge({**CLAIMS, "iss": None}), "iss is not the configured", issuer="None")


@pytest.mark.parametrize("right", ["tasks", ["tasks"], ["other", "tasks"]])
def test_the_audience_is_found(right: object) -> None:
    """Where an audience is configured, `aud` is that string or a list that holds it."""
    assert subject(claiming(aud=right), audience="tasks") == "ada"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "task",
        "tasks2",
        "Tasks",
        None,
        1,
        [],
        [[]],
        ["other"],
        [["tasks"]],
        {"tasks": 1},
        ["tasks", 1],
    ],
)
def test_another_audience_is_refused(wrong: object) -> None:
    """A missing, different or malformed `aud` is refused where one is configured."""
    refused(claiming(aud=wrong), "aud does not contain", audience="tasks")
    refused(forge({**CLAIMS, "aud": wrong}), "aud does not contain", audience="tasks")


@pytest.mark.parametrize("value", ["other", 1, ["x"], {}])
def test_what_is_not_configured_is_not_compared(value: object) -> None:
    """`iss` and `aud` are ignored where none is configured."""
    assert subject(claiming(iss=value, aud=value)) == "ada"


@pytest.mark.parametrize(
    "owner", ["ada", "A", "x" * 128, "auth0|5f7c8ec7c33c6c004bbafe82", "a.b_c:d@e~f+g=h-i", "..."]
)
def test_an_owner_is_a_subject(owner: str) -> None:
    """Whatever may name an owner is returned as it stands."""
    assert subject(claiming(sub=owner)) == owner


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        ".",
        "..",
        "x" * 129,
        "x" * 300,
        "a\x00",
        "\x00",
        "a b",
        " ada",
        "ada\n",
        "a/b",
        "å",
        "\ud800",
        *(1, 0, 1.5, True, False, [], ["ada"], {}, {"sub": "ada"}),
    ],
)
def test_a_subject_that_is_no_owner_is_refused(wrong: object) -> None:
    """A subject is a string that can name an owner."""
    refused(claiming(sub=wrong), "sub is not a valid user id")


def test_a_missing_subject_is_refused() -> None:
    """A token of nobody is refused; `null` is nobody."""
    refused(claiming(sub=None), "sub is not a valid user id")
    refused(forge({**CLAIMS, "sub": None}), "sub is not a valid user id")


def test_the_subject_may_be_in_another_claim() -> None:
    """The configured claim names the owner; `sub` is then not looked at."""
    name = "https://i.example/user"
    assert subject(claiming(sub=7, **{name: "bob"}), subject_claim=name) == "bob"
    refused(claiming(), "is not a valid user id", subject_claim=name)


def client(**named: object) -> str | None:
    """Return the client of a token with these claims, whose owner is Ada."""
    caller = verifier()(forge({**CLAIMS, **named}))
    assert caller.owner == "ada"
    return caller.client


def test_a_caller_has_all_scopes() -> None:
    """Tokens do not limit what their caller may do."""
    assert verifier()(claiming(scope="tasks:read")).scopes == ALL_SCOPES


def test_a_token_without_a_client_is_accepted() -> None:
    """Its client is None."""
    assert client() is None


@pytest.mark.parametrize("name", ["azp", "client_id"])
@pytest.mark.parametrize("value", ["todo-app", "x", "x" * 128, "https://app.example", " ~"])
def test_a_client_is_read(name: str, value: str) -> None:
    """Either claim names it, with 1 to 128 printable characters of ASCII."""
    assert client(**{name: value}) == value


def test_azp_takes_precedence_over_client_id() -> None:
    """`client_id` counts only without an `azp`, even if that `azp` is not usable."""
    assert client(azp="page", client_id="other") == "page"
    assert client(azp=None, client_id="other") is None


@pytest.mark.parametrize("name", ["azp", "client_id"])
@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x" * 129,
        *(
            "a\x00",
            "\x1f",
            "a\nb",
            "page\n",
            "\x1b[31m",
            "\x7f",
            "\x85",
            "å",
            "\u202e",
            "\ud83d\ude00",
        ),
        *(None, 1, 0, 1.5, True, False, [], ["page"], {}, {"azp": "page"}),
    ],
)
def test_an_unusable_client_is_none(name: str, wrong: object) -> None:
    """The token is accepted all the same: the client only appears in the log."""
    assert client(**{name: wrong}) is None
