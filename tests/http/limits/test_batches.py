"""What a batch counts: one request, and one more for each ten commands."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from tests.http.limits.callers import QUOTA, use_up
from tests.http.limits.test_fields import fields, names
from tests.http_callers import ApiClient
from tests.problem_details import problem

from taskservice.adapters.http.protocol.request import BATCH_BODY_LIMIT
from taskservice.testing import ADA, TickingClock

QUOTA_OF_MANY = 100
UNUSED = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a99"
CREATE = {"op": "create", "task": {"title": "Straße"}}
DELETE = {"op": "delete", "id": UNUSED}


def batch(caller: ApiClient, *commands: dict[str, Any], **options: Any) -> Any:
    """Send a batch; `headers` are those of the request, other options members of the body."""
    headers = options.pop("headers", {})
    path = f"/api/tasks/{caller.user}/batch"
    return caller("POST", path, json={"commands": commands, **options}, headers=headers)


@pytest.fixture
def many(make_app: Callable[..., Flask]) -> ApiClient:
    """Ada, of whom a hundred requests a minute are taken."""
    return ApiClient(make_app(rate_limit=f"{QUOTA_OF_MANY}/minute").test_client(), ADA)


@pytest.mark.parametrize(
    ("commands", "cost"), [(1, 1), (9, 1), (10, 2), (19, 2), (20, 3), (99, 10), (100, 11)]
)
def test_each_ten_commands_count_as_one_more_request(
    many: ApiClient, commands: int, cost: int
) -> None:
    """The fields of the response tell what is left then, and so do those of the next."""
    answer = batch(many, *[CREATE] * commands)
    assert answer.status_code == 200
    assert fields(answer)[1]["r"] == QUOTA_OF_MANY - cost
    assert fields(many("GET"))[1]["r"] == QUOTA_OF_MANY - cost - 1


def test_what_fails_and_what_is_only_tried_count_alike(many: ApiClient) -> None:
    """An atomic failure, one in mode `each`, and a dry run."""
    answers = [
        batch(many, *[DELETE] * 20),
        batch(many, *[DELETE] * 20, mode="each"),
        batch(many, *[CREATE] * 20, dry_run=True),
    ]
    assert [answer.status_code for answer in answers] == [404, 200, 200]
    assert [fields(answer)[1]["r"] for answer in answers] == [97, 94, 91]


def test_a_retry_with_a_key_counts_as_one(many: ApiClient) -> None:
    """Its commands are not run again: the answer is the first one, or that the key is used."""
    key = {"Idempotency-Key": "key"}
    answers = [
        batch(many, *[CREATE] * 20, headers=key),
        batch(many, *[CREATE] * 20, headers=key),
        batch(many, *[CREATE] * 30, headers=key),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert [fields(answer)[1]["r"] for answer in answers] == [97, 96, 95]


def test_a_batch_whose_commands_are_not_run_counts_as_one(many: ApiClient) -> None:
    """The body that is not valid, too large or none, and a condition that fails."""
    large = b" " * (BATCH_BODY_LIMIT + 1)
    path, json = f"/api/tasks/{ADA}/batch", "application/json"
    answers = [
        batch(many, *[CREATE] * 101),
        batch(many, *[CREATE] * 20, mode="all"),
        many("POST", path, data=large, content_type=json),
        many("POST", path, data=b"[", content_type=json),
        batch(many, *[CREATE] * 20, headers={"If-Match": '"1"'}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 413, 400, 412]
    assert [fields(answer)[1]["r"] for answer in answers] == [99, 98, 97, 96, 95]


def test_a_batch_is_never_refused_for_its_own_commands(ada: ApiClient, clock: TickingClock) -> None:
    """With one request left a hundred commands are run; then the user waits as any other."""
    for _ in range(QUOTA - 1):
        assert ada("GET").status_code == 200
    answer = batch(ada, *[CREATE] * 100)
    assert (answer.status_code, len(answer.json["results"])) == (200, 100)
    policy, left = fields(answer)
    assert (policy["q"], left["r"]) == (QUOTA, 0)
    assert "Retry-After" not in answer.headers
    refused = ada("GET")
    problem(refused, 429, "too-many-requests")
    assert int(refused.headers["Retry-After"]) == left["t"]
    clock.now += timedelta(seconds=left["t"] - 1)
    problem(ada("GET"), 429, "too-many-requests")
    clock.now += timedelta(seconds=1)
    use_up(ada)


def test_a_batch_is_limited_before_its_body_is_read(ada: ApiClient) -> None:
    """429 comes before 413, 415, 400 and 422, and nothing is done or counted once more."""
    use_up(ada)
    path, json = f"/api/tasks/{ADA}/batch", "application/json"
    for request in (
        {"data": b"x" * (BATCH_BODY_LIMIT + 1), "content_type": json},
        {"data": b"{}", "content_type": "text/plain"},
        {"data": b"[", "content_type": json},
        {"json": {"commands": []}, "headers": {"Idempotency-Key": "a,b"}},
        {"json": {"commands": [CREATE] * 100}},
    ):
        problem(ada("POST", path, **request), 429, "too-many-requests")


def test_the_commands_of_one_user_cost_another_nothing(ada: ApiClient, bob: ApiClient) -> None:
    """Nor what is sent under another's path."""
    assert batch(ada, *[CREATE] * 100).status_code == 200
    foreign = ada("POST", "/api/tasks/bob/batch", json={"commands": [CREATE] * 100})
    problem(foreign, 403, "not-your-tasks")
    use_up(bob)


@pytest.mark.parametrize("before", range(QUOTA))
def test_a_jump_over_the_limit_is_logged_once(
    ada: ApiClient, caplog: pytest.LogCaptureFixture, before: int
) -> None:
    """However many requests of the window are left, and whatever follows."""
    for _ in range(before):
        ada("GET")
    answer = batch(ada, *[CREATE] * 50)
    for _ in range(3):
        problem(batch(ada, *[CREATE] * 50), 429, "too-many-requests")
    logged = [each for each in caplog.records if each.getMessage() == "rate limit exceeded"]
    assert [(vars(each)["user"], vars(each)["request_id"]) for each in logged] == [
        (ADA, answer.headers["X-Request-Id"])
    ]


def test_a_batch_that_meets_the_limit_is_not_logged(
    ada: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It uses up what there is; the next request is the first over it."""
    assert fields(batch(ada, *[CREATE] * 40))[1]["r"] == 0
    assert "rate limit exceeded" not in [each.getMessage() for each in caplog.records]
    problem(ada("GET"), 429, "too-many-requests")
    assert [each.getMessage() for each in caplog.records].count("rate limit exceeded") == 1


def test_without_a_limit_nothing_is_counted(make_app: Callable[..., Flask]) -> None:
    """Of many commands neither."""
    ada = ApiClient(make_app(rate_limit="off").test_client(), ADA)
    assert names(batch(ada, *[CREATE] * 100)) == set()
