"""Responses: common headers, unexpected errors, and the OpenAPI document."""

import json
import logging
import re
from contextlib import AbstractContextManager
from typing import Any

import marshmallow
import orjson
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from tests.http_callers import SETTINGS, ApiClient, application
from tests.problem_details import problem
from werkzeug.exceptions import ImATeapot

from taskservice.adapters.http.api.entity_schemas import response_schema
from taskservice.app import create_app, openapi_document
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.entity import Entity
from taskservice.core.errors import SchemaOutdated, Unavailable
from taskservice.core.workspace import ENTITY_TYPES, Workspace
from taskservice.logs import Formatter
from taskservice.testing.contract.strategies import any_values, strategies

SCHEMAS = {one: response_schema(one)() for one in ENTITY_TYPES}


@given(st.one_of(*(st.builds(one, **strategies(one, any_values)) for one in ENTITY_TYPES)))
def test_the_entity_is_written_as_the_schema_documents_it(entity: Entity) -> None:
    """The fast rendering of an entity equals marshmallow's, field by field and in order."""
    documented = marshmallow.Schema.dump(SCHEMAS[type(entity)], entity)
    written = orjson.dumps(entity, option=orjson.OPT_UTC_Z).decode()
    assert json.loads(written, object_pairs_hook=list) == list(documented.items())


def test_answers_of_the_api_carry_their_headers(ada: ApiClient) -> None:
    """Caches are told whose an answer is; nobody sniffs; every request has an id."""
    task = ada.create()
    for response in (
        ada("GET"),
        ada("GET", f"/{task['id']}"),
        ada("DELETE", f"/{task['id']}"),
        ada("DELETE", f"/{task['id']}"),
        ada("GET", "/api/nowhere"),
        ada("FOO"),
        ada("GET", "/api/tasks/bob/tasks"),
    ):
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["Vary"] == "Authorization"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert len(response.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("given_id", ["a", "A.b_c-9", "x" * 64])
def test_a_request_keeps_its_id(ada: ApiClient, given_id: str) -> None:
    """A fit id from the caller is the request's."""
    assert ada("GET", headers={"X-Request-Id": given_id}).headers["X-Request-Id"] == given_id


@pytest.mark.parametrize("given_id", ["", "x" * 65, "a b", "ä", "a,b", "<script>"])
def test_an_unfit_id_is_replaced(ada: ApiClient, given_id: str) -> None:
    """What is no id is not echoed."""
    made = ada("GET", headers={"X-Request-Id": given_id}).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def unopened(
    owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
) -> AbstractContextManager[Workspace]:
    raise AssertionError(owner)


def failing_app(error: Exception) -> Flask:
    def open_workspace(
        owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> AbstractContextManager[Workspace]:
        raise error

    return application(open_workspace)


def test_an_unexpected_error_is_a_500_without_details(caplog: pytest.LogCaptureFixture) -> None:
    """The client hears the request id and nothing of the defect; the log hears the rest."""
    ada = ApiClient(failing_app(RuntimeError("the innermost secret")).test_client(), "ada")
    response = ada("GET")
    body = problem(response, 500, "internal")
    assert "innermost" not in response.text
    assert body.keys() == {"type", "title", "status", "detail", "instance", "request_id"}
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert vars(record)["request_id"] == body["request_id"]
    assert "the innermost secret" in caplog.text


def test_the_reason_of_a_refusal_is_for_the_log(
    ada: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A 401 says nothing of why; the log does, beside the request id, and shows no token."""
    ada.token = "x.y.z"
    body = problem(ada("GET"), 401, "unauthenticated")
    (record,) = caplog.records
    assert record.getMessage() == "request finished"
    assert vars(record)["request_id"] == body["request_id"]
    assert vars(record)["reason"]
    assert "x.y.z" not in str(vars(record))


def test_a_log_line_stays_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Line ends and terminal codes in a request never reach the log."""
    ada = ApiClient(failing_app(RuntimeError()).test_client(), "ada")
    evil = "x\x1b[31m\u2028"
    ada("GET", "?q=%0D%0Aevil", headers={"X-Request-Id": evil.encode().decode("latin-1")})
    ada("POST", json={"title": "evil \u2028", "description": "evil\r\n"})
    assert len(caplog.records) == 2
    for record in caplog.records:
        for form in ("json", "console"):
            line = Formatter(form).format(record)
            assert line.isprintable()
            assert "evil" not in line


@pytest.mark.parametrize("outcome", ["not_applied", "unknown"])
def test_an_outage_is_a_503_that_says_what_became_of_the_write(outcome: Any) -> None:
    """503 with `Retry-After` and the outcome; the reason is for the log."""
    ada = ApiClient(failing_app(Unavailable("host db-7 is down", outcome)).test_client(), "ada")
    response = ada("POST", json={"title": "Buy milk"})
    assert problem(response, 503, "unavailable")["outcome"] == outcome
    assert response.headers["Retry-After"] == "1"
    assert "db-7" not in response.text


def test_a_rare_refusal_of_the_framework_is_a_problem_too() -> None:
    """Whatever the framework raises is answered as problem details."""
    ada = ApiClient(failing_app(ImATeapot()).test_client(), "ada")
    problem(ada("GET"), 500, "internal")


def test_livez_checks_nothing() -> None:
    """`/livez` is 200 whatever state the parts are in."""

    def broken() -> None:
        raise Unavailable("down")

    client = create_app(
        lambda *_, **__: pytest.fail(), SETTINGS, {"database": broken}
    ).test_client()
    response = client.get("/livez")
    assert (response.status_code, response.json) == (200, {"status": "alive"})


def test_readiness_names_what_is_not_ready() -> None:
    """503 as long as one part is not fit to serve, naming each; 200 when all are."""
    state: dict[str, Exception | None] = {"database": None, "schema": SchemaOutdated("at 0001")}

    def probe(name: str) -> Any:
        def look() -> None:
            if error := state[name]:
                raise error

        return look

    probes = {name: probe(name) for name in state}
    client = create_app(unopened, SETTINGS, probes).test_client()
    body = problem(client.get("/readyz"), 503, "unavailable")
    assert (body["checks"], body["detail"]) == (
        {"database": "ok", "schema": "unavailable", "keys": "ok"},
        "not ready: schema",
    )
    state["schema"] = None
    response = client.get("/readyz")
    assert (response.status_code, response.json) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "schema": "ok", "keys": "ok"}},
    )


def test_the_document_is_valid_openapi(app: Flask) -> None:
    """`/openapi.json` is a valid OpenAPI 3.1.0 document."""
    document: dict[str, Any] = app.test_client().get("/openapi.json").json or {}
    assert document["openapi"] == "3.1.0"
    validate(document)


SERVED = {"tasks", "lists", "labels", "changes", "trash", "history", "summary", "batch", "health"}
"""The blueprints whose operations the document has."""


def test_the_document_and_the_routes_are_the_same(app: Flask) -> None:
    """Every operation that is served is documented, and no other."""
    document = json.loads(openapi_document())
    documented = {
        (path, method.upper())
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }
    served = {
        (rule.rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}"), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0] in SERVED
    }
    assert documented == served


def test_every_operation_documents_its_problems() -> None:
    """Each status that an operation can give is in the document, with an example of its body."""
    always = {"400", "401", "403", "412", "429", "500", "503"}
    with_precondition = {"404", "409", "422", "428", "507"}
    expected = {
        "list_tasks": always | {"200", "422"},
        "create_task": always | {"201", "409", "413", "415", "422", "507"},
        "get_task": always | {"200", "304", "404", "422"},
        "update_task": always | with_precondition | {"200", "413", "415"},
        "patch_task": always | with_precondition | {"200", "413", "415"},
        "complete_task": always | with_precondition | {"200", "413", "415"},
        "delete_task": always | with_precondition | {"204", "413"},
        "move_task": always | with_precondition | {"200", "413", "415"},
        "list_lists": always | {"200", "422"},
        "create_list": always | {"201", "409", "413", "415", "422", "507"},
        "get_list": always | {"200", "304", "404", "422"},
        "patch_list": always | with_precondition | {"200", "413", "415"},
        "move_list": always | with_precondition | {"200", "413", "415"},
        "delete_list": always | with_precondition | {"200", "204", "413"},
        "list_labels": always | {"200", "422"},
        "rename_label": always | {"200", "409", "413", "415", "422", "507"},
        "run_batch": always | with_precondition | {"200", "413", "415"},
        "list_changes": always | {"200", "410", "422"},
        "list_trash": always | {"200", "422"},
        "get_trashed_task": always | {"200", "304", "404", "422"},
        "restore_task": always | with_precondition | {"200", "413"},
        "purge_task": always | with_precondition | {"204", "413"},
        "purge_trash": always | {"200", "409", "413", "422", "507"},
        "list_task_changes": always | {"200", "404", "422"},
        "undo_task_change": always | with_precondition | {"200", "413", "415"},
        "get_summary": always | {"200", "422"},
        "livez": {"200", "400"},
        "readyz": {"200", "400", "503"},
    }
    document = json.loads(openapi_document())
    found = {
        operation["operationId"]: set(operation["responses"])
        for operations in document["paths"].values()
        for method, operation in operations.items()
        if method != "parameters"
    }
    assert found == expected
    for response in document["components"]["responses"].values():
        assert response["content"]["application/problem+json"]["examples"]
