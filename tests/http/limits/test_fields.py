"""`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import http_sf
from flask import Flask
from tests.http.limits.callers import PATH, PUBLIC, QUOTA, refuse
from tests.http_callers import SETTINGS, ApiClient
from tests.problem_details import problem
from werkzeug.test import TestResponse

from taskservice.app import ADDRESS_LIMIT_FACTOR, create_app
from taskservice.testing import ADA, TickingClock


def fields(answer: TestResponse) -> tuple[Any, Any]:
    """Return the parameters of both, as a reader of structured fields (RFC 9651) sees them."""
    return _of_the_user(answer, "RateLimit-Policy"), _of_the_user(answer, "RateLimit")


def _of_the_user(answer: TestResponse, field: str) -> Any:
    items: Any = http_sf.parse(answer.headers[field].encode(), tltype="list")
    ((name, parameters),) = items
    assert name == "user"
    return parameters


def names(answer: TestResponse) -> set[str]:
    return {name for name, _ in answer.headers if name.startswith("RateLimit")}


class TestTheFields:
    """Tell what a caller has left, on every answer that was counted."""

    def test_count_down(self, ada: ApiClient, clock: TickingClock) -> None:
        """They name the quota, what is left of it, and until when, and parse as structured."""
        answers = [ada("GET") for _ in range(QUOTA + 2)]
        wait = fields(answers[0])[1]["t"]
        assert [fields(each) for each in answers] == [
            ({"q": QUOTA, "w": 60}, {"r": left, "t": wait}) for left in (4, 3, 2, 1, 0, 0, 0)
        ]
        assert answers[-1].headers["Retry-After"] == f"{wait}"
        clock.now += timedelta(seconds=wait)
        assert fields(ada("GET")) == ({"q": QUOTA, "w": 60}, {"r": 4, "t": 60})

    def test_are_on_every_answer_that_was_counted(self, ada: ApiClient) -> None:
        """Success, no content, and each refusal that comes after the count."""
        task = ada.create()
        answers = [
            ada("GET", f"/{task['id']}", headers={"If-None-Match": '"1"'}),
            ada("DELETE", f"/{task['id']}"),
            ada("DELETE", f"/{task['id']}"),
            ada("GET", "?limit=0"),
            ada("GET"),
        ]
        assert [answer.status_code for answer in answers] == [304, 204, 404, 422, 429]
        assert [fields(answer)[1]["r"] for answer in answers] == [3, 2, 1, 0, 0]

    def test_are_on_no_other(self, app: Flask, ada: ApiClient) -> None:
        """What was not counted tells nothing of a budget, nor of a neighbour's refusals."""
        answers = [
            refuse(app, 1),
            refuse(app, ADDRESS_LIMIT_FACTOR * QUOTA),
            ada("GET", "/api/tasks/bob/tasks"),
            ada("TRACE"),
            app.test_client().options(PATH),
            *map(app.test_client().get, PUBLIC),
        ]
        assert [each.status_code for each in answers] == [
            401,
            429,
            403,
            405,
            204,
            *([200] * len(PUBLIC)),
        ]
        assert not set().union(*map(names, answers))

    def test_are_on_a_defect_and_an_outage_too(self, make_app: Callable[..., Flask]) -> None:
        """A request that failed after it was counted says so."""

        def defective(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        app = create_app(defective, replace(SETTINGS, rate_limit="5/minute"))  # type: ignore[arg-type]
        answer = ApiClient(app.test_client(), ADA)("GET")
        problem(answer, 500, "internal")
        assert fields(answer)[1]["r"] == 4
