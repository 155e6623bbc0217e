"""Data of form 2, before tasks could be planned; of 3, before lists; of 4, before recurrence."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from tests.compatibility.conftest import Upgrade
from tests.compatibility.samples import SCHEMA_VERSIONS, Sample, in_current_form
from tests.compatibility.test_records import send
from tests.http_callers import ApiClient, application

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.testing import ADA

SAMPLES = {form: Sample.of(form) for form in SCHEMA_VERSIONS}
KEYS = [(form, one["key"]) for form, sample in SAMPLES.items() for one in sample.requests]


@pytest.fixture(scope="module", params=SCHEMA_VERSIONS)
def sample(request: pytest.FixtureRequest) -> Sample:
    """The sample of each form in turn."""
    return SAMPLES[request.param]


@pytest.fixture(scope="module")
def engine(upgraded: Upgrade, sample: Sample) -> Iterator[Engine]:
    """A database of the form, upgraded to the newest schema."""
    with upgraded(sample.store) as engine:
        yield engine


@pytest.fixture
def ada(engine: Engine) -> ApiClient:
    return ApiClient(application(SqlStorage(engine).open_workspace).test_client(), ADA)


@pytest.mark.parametrize(("sample", "key"), KEYS, indirect=["sample"])
def test_case_57_a_retry_gets_the_first_response_with_the_defaults(
    ada: ApiClient, sample: Sample, key: str
) -> None:
    """The members of before are as they were, although the task has changed or is gone."""
    (request,) = (one for one in sample.requests if one["key"] == key)
    response = send(ada, request)
    assert response.headers["Idempotency-Replayed"] == "true"
    headers = {name: response.headers[name] for name in request["headers"]}
    assert (response.status_code, headers) == (request["status"], request["headers"])
    first = request["answer"] and in_current_form(request["answer"])
    assert (response.json if response.data else None) == first


def test_the_tasks_have_the_defaults_of_newer_members(ada: ApiClient, sample: Sample) -> None:
    """The status of form 2 follows; the position is the moment of creation. None recurs."""
    expected = [in_current_form(task) for task in sample.tasks]
    assert ada("GET", "?sort=created_at").json == expected


def test_tasks_of_before_lists_are_in_the_inbox(ada: ApiClient, sample: Sample) -> None:
    """In the order of creation. Others stay in their lists."""
    found = ada("GET", "?list_id=inbox&parent_id=none&sort=position").json
    ids = [task["id"] for task in sample.tasks if task.get("list_id") is None]
    assert [task["id"] for task in found] == ids


def test_filters_find_the_tasks_that_they_found_before(ada: ApiClient, sample: Sample) -> None:
    """By all columns, whose values are as they were, or have the defaults; also their order."""
    found = {query: [task["id"] for task in ada("GET", query).json] for query in sample.lists}
    assert found == sample.lists


def test_a_link_to_the_next_page_stays_valid(ada: ApiClient, sample: Sample) -> None:
    """A client that was reading a list reads on."""
    response = ada("GET", sample.link)
    assert [task["title"] for task in response.json] == [sample.tasks[1]["title"]]
