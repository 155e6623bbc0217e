"""How often an address may be refused, and that nobody else pays for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from tests.http.limits.callers import BAD, PATH, QUOTA, refuse, use_up
from tests.http_callers import ApiClient, token_of
from tests.problem_details import problem
from tests.token_issuer import Issuer

from taskservice.adapters.jwt import key_set
from taskservice.app import ADDRESS_LIMIT_FACTOR
from taskservice.testing import ADA, TickingClock


class TestAnAddress:
    """May be refused ten times as often as a user may ask; then it is told to wait."""

    def test_is_limited(self, app: Flask, clock: TickingClock) -> None:
        """The fiftieth bad token is 401, the next 429, and after the wait it is 401 again."""
        answer = refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA)
        problem(answer, 401, "unauthenticated")
        answer = refuse(app, 1)
        body = problem(answer, 429, "too-many-requests")
        assert body["detail"] == "too many requests without a valid token"
        assert "WWW-Authenticate" not in answer.headers
        wait = int(answer.headers["Retry-After"])
        clock.now += timedelta(seconds=wait - 1)
        problem(refuse(app, 1), 429, "too-many-requests")
        clock.now += timedelta(seconds=1)
        problem(refuse(app, 1), 401, "unauthenticated")

    @pytest.mark.parametrize("said", [None, "Basic eDp5", BAD, f"Bearer {token_of(ADA)[:-3]}xyz"])
    def test_counts_whatever_is_no_valid_token(self, app: Flask, said: str | None) -> None:
        """None at all, another scheme, none by its form, and one with a wrong signature."""
        problem(refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA, said=said), 401, "unauthenticated")
        problem(refuse(app, 1, said=said), 429, "too-many-requests")

    def test_does_not_limit_valid_tokens(self, app: Flask) -> None:
        """A neighbour's bad tokens cost an honest caller of the same address nothing."""
        problem(refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA + 1), 429, "too-many-requests")
        headers = {"Authorization": f"Bearer {token_of(ADA)}"}
        for _ in range(QUOTA):
            answer = app.test_client().get(
                PATH, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"}
            )
            assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("one", "other", "shared"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::ffff:2", True),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
            ("", "", True),
            ("", "unix:", False),
        ],
    )
    def test_is_a_subscribers(self, app: Flask, one: str, other: str, *, shared: bool) -> None:
        """An IPv4 address, or a /64 of IPv6; what is no address is one of its own."""
        refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA, one)
        assert refuse(app, 1, other).status_code == (429 if shared else 401)

    def test_is_the_clients_behind_a_trusted_proxy(self, make_app: Callable[..., Flask]) -> None:
        """With `TASKSERVICE_PROXIES` the floor is each client's; without it all share one."""
        for proxies, expected in ((1, 401), (0, 429)):
            app = make_app(rate_limit="1/minute", proxies=proxies)
            for number in range(ADDRESS_LIMIT_FACTOR + 1):
                headers = {"X-Forwarded-For": f"192.0.2.{number}"}
                answer = app.test_client().get(PATH, headers=headers)
            assert answer.status_code == expected

    def test_is_logged_once_in_a_window(
        self, app: Flask, ada: ApiClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log hears of each that is told to wait, and not of each time."""
        refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA + 20)
        use_up(ada)
        for _ in range(20):
            ada("GET")
        logged = [each for each in caplog.records if each.getMessage() == "rate limit exceeded"]
        assert [vars(each).get("address") for each in logged] == ["192.0.2.1", None]
        assert [vars(each).get("user") for each in logged] == [None, ADA]
        answered = [vars(each)["status"] for each in caplog.records if "status" in vars(each)]
        assert answered.count(401) == ADDRESS_LIMIT_FACTOR * QUOTA


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(["EdDSA"]) as issuer:
        yield issuer


class TestAnIssuerThatIsAway:
    """Is no way past the limit for tokens that cannot be verified meanwhile."""

    def test_costs_an_address_as_a_refusal_does(
        self, make_app: Callable[..., Flask], issuer: Issuer
    ) -> None:
        """A `kid` that may be a new one is 503, then 429; who has a valid token is served."""
        app = make_app(rate_limit=f"{QUOTA}/minute", jwt_secret=None, jwks_url=issuer.url)
        issuer.stop()
        unknown = f"Bearer {issuer.token(headers={'kid': 'unknown'})}"
        problem(refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA, said=unknown), 503, "unavailable")
        answer = refuse(app, 1, said=unknown)
        body = problem(answer, 429, "too-many-requests")
        assert body["detail"] == "too many requests without a valid token"
        problem(refuse(app, 1, "192.0.2.2", unknown), 503, "unavailable")
        assert refuse(app, 1, said=f"Bearer {issuer.token(ADA)}").status_code == 200

    def test_limits_no_address_after_recovery(
        self, make_app: Callable[..., Flask], issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without any key all tokens count; a valid one is taken as soon as there are keys."""
        monkeypatch.setattr(key_set, "RETRY_INTERVAL", 0.0)
        url, token = issuer.url, f"Bearer {issuer.token(ADA)}"
        issuer.stop()
        app = make_app(rate_limit="1/minute", jwt_secret=None, jwks_url=url)
        problem(refuse(app, ADDRESS_LIMIT_FACTOR, said=token), 503, "unavailable")
        problem(refuse(app, 1, said=token), 429, "too-many-requests")
        issuer.start()
        assert refuse(app, 1, said=token).status_code == 200
