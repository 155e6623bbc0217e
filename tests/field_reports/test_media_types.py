"""A 415 says what is wrong and what is right, and what only looks wrong is taken."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.field_reports.media_types import CHARSET, CODING, JSON, PATCH, REFUSED, TAKEN
from tests.field_reports.report import Report
from tests.http_callers import SETTINGS, ApiClient
from tests.problem_details import problem

from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app
from taskservice.testing import ADA

OPERATIONS = {
    "POST": ("", JSON),
    "PUT": ("/{id}", JSON),
    "PATCH": ("/{id}", f"{PATCH}, {JSON}"),
    "PATCH of the completion": ("/{id}/complete", JSON),
}
"""Path and media types of each operation that takes a body."""
BODIES = {"POST": b'{"title": "x"}', "PUT": b'{"title": "x"}', "PATCH": b'{"completed": true}'}


@pytest.fixture
def ada() -> ApiClient:
    return ApiClient(create_app(InMemoryStorage().open_workspace, SETTINGS).test_client(), ADA)


def answers(ada: ApiClient, headers: dict[str, str]) -> Iterator[tuple[str, str, Any]]:
    """Yield method, media types and answer of each operation, for a body with these headers."""
    task = ada.create()
    for name, (path, media_types) in OPERATIONS.items():
        method = name.partition(" ")[0]
        given = dict(headers)
        media_type = given.pop("Content-Type", None)
        answer = ada(
            method, path.format(**task), data=BODIES[method], content_type=media_type, headers=given
        )
        yield method, media_types, answer


@pytest.mark.parametrize("report", TAKEN, ids=str)
def test_a_body_that_is_json_is_taken(ada: ApiClient, report: Report[dict[str, str], None]) -> None:
    """RFC 8259, section 11, knows no charset, and RFC 9110, section 5.6.1, empty elements."""
    statuses = [answer.status_code for _, _, answer in answers(ada, report.tried)]
    assert statuses == [201, 200, 200, 200]


@pytest.mark.parametrize("report", REFUSED, ids=str)
def test_a_415_says_what_is_wrong(ada: ApiClient, report: Report[dict[str, str], str]) -> None:
    """And what would be right, in the header that RFC 9110, section 15.5.16, has for it."""
    for method, media_types, answer in answers(ada, report.tried):
        body = problem(answer, 415, "unsupported-media-type")
        assert body["detail"].startswith(report.right)
        if report.right == CODING:
            expected = {"Accept-Encoding": "identity"}
        else:
            expected = {"Accept": media_types}
            expected |= {"Accept-Patch": media_types} if method == "PATCH" else {}
        if report.right not in {CODING, CHARSET}:
            assert body["detail"].endswith(media_types.replace(", ", " or "))
        names = {"Accept", "Accept-Encoding", "Accept-Patch"}
        assert {
            name: answer.headers[name] for name in names & set(answer.headers.keys())
        } == expected


@pytest.mark.parametrize(
    ("path", "media_types"), [("/{id}", f"{PATCH}, {JSON}"), ("/{id}/complete", JSON), ("", None)]
)
def test_options_says_what_a_patch_may_be(
    ada: ApiClient, path: str, media_types: str | None
) -> None:
    """RFC 5789, section 3.1: where there is a PATCH, `Accept-Patch` has its media types."""
    answer = ada("OPTIONS", path.format(**ada.create()))
    assert answer.status_code == 204
    assert answer.headers.get("Accept-Patch") == media_types
