"""CORS: preflight responses, exposed headers, and `Vary`."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from tests.http_callers import SETTINGS, ApiClient, application
from tests.problem_details import problem

from taskservice.app import create_app
from taskservice.config import ConfigError, Settings
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA

PAGE, OTHER, NUMBERED = "https://app.example", "http://localhost:5173", "http://[::1]:3000"
APPS = ("capacitor://localhost", "tauri://localhost", "ionic://localhost", "app://-")
"""What pages within an application say: any scheme is one (RFC 6454, section 4)."""

EXPOSED = {
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
    "X-Total-Count",
    "Preference-Applied",
    "Idempotency-Replayed",
}
PATHS = [
    "/api/tasks/ada/tasks",
    "/api/tasks/ada/tasks/01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11",
    "/api/tasks/ada/changes",
]


@pytest.fixture
def open_app(open_workspace: OpenWorkspace) -> Flask:
    """An application that pages of these origins may call."""
    return application(
        open_workspace, replace(SETTINGS, cors_origins=(PAGE, OTHER, NUMBERED, *APPS))
    )


def words(value: str) -> set[str]:
    return set(value.split(", "))


def preflight(app: Flask, path: str, origin: str, method: str, headers: str) -> Any:
    """Ask as a browser does before it sends anything: without a token."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return app.test_client().options(path, headers=asked)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [PAGE, OTHER, NUMBERED, *APPS])
def test_a_preflight_is_answered_without_a_token(open_app: Flask, path: str, origin: str) -> None:
    """204: who may call, with which methods and headers, and for how long that is known."""
    answer = preflight(open_app, path, origin, "PATCH", "authorization, content-type, if-match")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    allowed = words(answer.headers["Access-Control-Allow-Methods"])
    assert allowed == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
    taken = words(answer.headers["Access-Control-Allow-Headers"])
    assert taken == {"authorization", "content-type", "if-match"}
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Prefer"],
)
def test_every_header_that_the_service_heeds_may_be_sent(open_app: Flask, name: str) -> None:
    """And one that it does not know may not."""
    answer = preflight(open_app, PATHS[0], PAGE, "POST", f"{name}, x-other")
    assert answer.headers["Access-Control-Allow-Headers"] == name


@pytest.mark.parametrize(
    "name", ["traceparent", "tracestate", "baggage", "sentry-trace", "x-requested-with"]
)
def test_headers_that_libraries_add_are_allowed(open_app: Flask, name: str) -> None:
    """Tracers and HTTP libraries of pages add these to each request (sentry-javascript#6077)."""
    answer = preflight(open_app, PATHS[0], PAGE, "POST", f"{name}, x-other")
    assert answer.headers["Access-Control-Allow-Headers"] == name


def test_an_operator_lets_more_headers_in(open_workspace: OpenWorkspace) -> None:
    """Names are taken as they stand, in either case: a sign in one is no pattern."""
    settings = replace(SETTINGS, cors_origins=(PAGE,), cors_headers=("X-Tenant", "b.3|$"))
    app = application(open_workspace, settings)
    asked = "authorization, x-tenant, B.3|$, b-3|$, b.3, x-tenant-id, x"
    answer = preflight(app, PATHS[0], PAGE, "POST", asked)
    taken = words(answer.headers["Access-Control-Allow-Headers"])
    assert taken == {"authorization", "x-tenant", "B.3|$"}


def test_answers_and_errors_may_be_read(open_app: Flask) -> None:
    """Success, refusal, unknown route and defect alike carry the headers."""
    client = open_app.test_client()
    origin = {"Origin": PAGE}
    answers = [
        ApiClient(client, ADA)("GET", headers=origin),
        client.get(PATHS[0], headers=origin),
        ApiClient(client, ADA)("GET", "?limit=0", headers=origin),
        ApiClient(client, ADA)("GET", "/api/tasks/bob/tasks", headers=origin),
        client.get("/nowhere", headers=origin),
        client.delete(PATHS[0], headers=origin),
        client.get("/readyz", headers=origin),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 422, 403, 404, 405, 200]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert words(answer.headers["Access-Control-Expose-Headers"]) == EXPOSED
        assert "Origin" in words(answer.headers["Vary"])


def test_a_defect_may_be_read_too() -> None:
    """A page hears 500 and the request id, and not that the network failed."""

    def defective(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    broken = create_app(defective, replace(SETTINGS, cors_origins=(PAGE,)))  # type: ignore[arg-type]
    answer = ApiClient(broken.test_client(), ADA)("GET", headers={"Origin": PAGE})
    problem(answer, 500, "internal")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example.evil.example",
        "https://evilapp.example",
        "https://app.example:8443",
        "https://app.example/",
        "https://app.example.",
        "https://appXexample",
        "http://1:3000",
        "http://:3000",
        "http://[::1]:30001",
        "https://app.example:443",
        "HTTPS://app.example",
        "capacitor://localhost:80",
        "capacitor://localhos",
        "http://localhost",
        "app://x",
        "null",
        "*",
        "",
    ],
)
def test_other_origins_are_not_let_in(open_app: Flask, origin: str) -> None:
    """Neither by a preflight nor in an answer; caches are told that it depends on the origin."""
    answers = [
        preflight(open_app, PATHS[0], origin, "GET", "authorization"),
        ApiClient(open_app.test_client(), ADA)("GET", headers={"Origin": origin}),
    ]
    for answer in answers:
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert "Origin" in words(answer.headers["Vary"])


def test_without_an_origin_the_answer_is_as_ever(open_app: Flask, app: Flask) -> None:
    """A caller that is no browser sees no difference but in `Vary`."""
    headers = {"X-Request-Id": "same"}
    with_cors, without = (
        ApiClient(each.test_client(), ADA, "no token")("GET", headers=headers)
        for each in (open_app, app)
    )
    assert with_cors.data == without.data
    differing = set(with_cors.headers) ^ set(without.headers)
    assert differing == {("Vary", "Authorization, Origin"), ("Vary", "Authorization")}


def test_without_the_setting_there_is_no_cors(app: Flask) -> None:
    """Off unless origins are configured."""
    answer = preflight(app, PATHS[0], PAGE, "GET", "authorization")
    assert answer.status_code == 204
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert "Vary" not in answer.headers or "Origin" not in answer.headers["Vary"]


GIVEN = {"DATABASE_URL": "sqlite:///x.db", "TASKSERVICE_JWT_SECRET": "0123456789" * 4}


def test_origins_are_read_from_the_setting() -> None:
    """A list with commas, and white space around them."""
    settings = Settings.from_environment(
        {**GIVEN, "TASKSERVICE_CORS_ORIGINS": f"{PAGE} , {OTHER},{NUMBERED}"}
    )
    assert settings.cors_origins == (PAGE, OTHER, NUMBERED)


@pytest.mark.parametrize(
    "value",
    ["*", "null", "app.example", "https://app.example/", "https://*.example", "https://a.b,", ","],
)
def test_what_is_no_origin_is_refused(value: str) -> None:
    """A pattern, a path or an empty entry is told at the start."""
    with pytest.raises(ConfigError, match="TASKSERVICE_CORS_ORIGINS must be origins, separated"):
        Settings.from_environment({**GIVEN, "TASKSERVICE_CORS_ORIGINS": value})


def test_headers_are_read_from_the_setting() -> None:
    """A list with commas, and white space around them; none unless said."""
    assert Settings.from_environment(GIVEN).cors_headers == ()
    said = {**GIVEN, "TASKSERVICE_CORS_HEADERS": "X-Tenant , x-datadog-trace-id,b3"}
    assert Settings.from_environment(said).cors_headers == ("X-Tenant", "x-datadog-trace-id", "b3")


@pytest.mark.parametrize("value", ["*", "X Tenant", "X-Tenant:", "x,", ",", "é", 'x"y', "x;y"])
def test_what_is_no_name_of_a_header_is_refused(value: str) -> None:
    """What is no token (RFC 9110, section 5.1) is told at the start, and so is a wildcard."""
    with pytest.raises(ConfigError, match="TASKSERVICE_CORS_HEADERS must be header names, sep"):
        Settings.from_environment({**GIVEN, "TASKSERVICE_CORS_HEADERS": value})
