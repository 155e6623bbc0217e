"""How often a user may ask, and who pays for what."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from tests.http.limits.callers import CHANGES, PATH, PUBLIC, QUOTA, refuse, use_up
from tests.http_callers import ApiClient
from tests.problem_details import problem

from taskservice.adapters.http.protocol.request import BODY_LIMIT
from taskservice.app import ADDRESS_LIMIT_FACTOR
from taskservice.testing import ADA, BOB, TickingClock


class TestAUser:
    """Has a budget to themselves, which only their own requests use up."""

    def test_gets_429_when_it_is_used_up(self, ada: ApiClient) -> None:
        """The fifth request is served, the sixth is not, and says how long to wait."""
        use_up(ada)
        answer = ada("GET")
        body = problem(answer, 429, "too-many-requests")
        assert body["detail"] == "too many requests"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60

    def test_is_served_again_after_the_wait(self, ada: ApiClient, clock: TickingClock) -> None:
        """Not a second sooner than `Retry-After` says, and not later."""
        use_up(ada)
        wait = int(ada("GET").headers["Retry-After"])
        clock.now += timedelta(seconds=wait - 1)
        assert ada("GET").headers["Retry-After"] == "1"
        clock.now += timedelta(seconds=1)
        use_up(ada)
        problem(ada("GET"), 429, "too-many-requests")

    def test_pays_once_for_a_page_of_changes(self, ada: ApiClient) -> None:
        """As for any other request."""
        for left in range(QUOTA)[::-1]:
            page = ada("GET", CHANGES)
            assert page.headers["RateLimit"].startswith(f'"user";r={left};')
        problem(ada("GET", CHANGES), 429, "too-many-requests")

    def test_does_not_starve_another(self, ada: ApiClient, bob: ApiClient) -> None:
        """Whatever one hears, the other has all five."""
        for _ in range(20):
            ada("GET")
        use_up(bob)

    def test_is_not_charged_for_what_is_refused(self, app: Flask, ada: ApiClient) -> None:
        """Nobody without Ada's token can use up her budget, or their own on her path."""
        bob = ApiClient(app.test_client(), BOB)
        for _ in range(20):
            refuse(app, 1)
            problem(bob("GET", ada.path), 403, "not-your-tasks")
            problem(ada("TRACE"), 405, "method-not-allowed")
            problem(ada("GET", "/none"), 404, "not-found")
            assert app.test_client().options(ada.path).status_code == 204
        use_up(ada)
        use_up(bob)

    def test_counts_invalid_requests(self, ada: ApiClient) -> None:
        """A bad body, value, header or id costs as much as a good one."""
        problem(ada("POST", data=b"{", content_type="application/json"), 400, "malformed-request")
        problem(ada("POST", json={}), 422, "invalid-request")
        problem(ada("GET", headers={"If-None-Match": "x"}), 400, "malformed-request")
        problem(ada("GET", f"/{'0' * 8}-0000-7000-8000-{'0' * 12}"), 404, "task-not-found")
        assert ada("HEAD").status_code == 200
        problem(ada("GET"), 429, "too-many-requests")

    def test_is_limited_before_a_body_is_read(self, ada: ApiClient) -> None:
        """429 comes before 413, 415, 400 and 422, and nothing is written."""
        use_up(ada)
        for request in (
            {"data": b"x" * (BODY_LIMIT + 1), "content_type": "application/json"},
            {"data": b"{}", "content_type": "text/plain"},
            {"data": b"{", "content_type": "application/json"},
            {"json": {}, "headers": {"Idempotency-Key": "a,b"}},
            {"json": {"title": "Buy milk"}},
        ):
            problem(ada("POST", **request), 429, "too-many-requests")


def test_what_is_public_is_not_limited(app: Flask) -> None:
    """Probes, the document, the pages and OPTIONS answer however often they are asked."""
    for _ in range(ADDRESS_LIMIT_FACTOR * QUOTA + 1):
        assert app.test_client().options(PATH).status_code == 204
        for path in PUBLIC:
            assert app.test_client().get(path).status_code == 200


def test_off_disables_the_limit(make_app: Callable[..., Flask]) -> None:
    """No count, no field, for users and addresses alike."""
    app = make_app(rate_limit="off")
    ada = ApiClient(app.test_client(), ADA)
    answers = [ada("GET") for _ in range(700)]
    assert {answer.status_code for answer in answers} == {200}
    assert not {"RateLimit", "RateLimit-Policy"} & set(answers[0].headers.keys())
    assert refuse(app, 20).status_code == 401
