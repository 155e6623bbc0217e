"""The traces of a service that runs, as a collector gets them."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus
from tests.databases import sqlite_database
from tests.http_callers import token_of
from tests.otlp_collector import attributes, collecting
from tests.processes import Service, gunicorn, run, write_program
from tests.secret_values import DATABASE_PASSWORD, SECRET

from taskservice import __version__

ADA = token_of("ada")
PATH = "/api/tasks/ada/tasks"
TASKS = "/api/tasks/{user_id}/tasks"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=Buy"}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}


def answered(service: Service) -> list[dict[str, Any]]:
    logged = [json.loads(line) for line in service.output]
    return [line for line in logged if line["event"] == "request finished"]


def test_a_request_and_its_work_are_spans_of_the_callers_trace(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """The rule is the name; the log names the trace and the span; all is sent before the end."""
    with collecting() as collector:
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.address
        with gunicorn(tmp_path, **settings) as service:
            assert service("GET", PATH, ADA, **HEADERS).status == 200
            assert service.stop() == 0
    work, request = sorted(collector.spans, key=lambda span: span.kind, reverse=True)
    assert (request.name, request.kind) == (f"GET {TASKS}", Span.SPAN_KIND_SERVER)
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(request) == {
        "http.request.method": "GET",
        "http.route": TASKS,
        "http.response.status_code": 200,
    }
    assert (work.name, work.kind) == ("tasks", Span.SPAN_KIND_CLIENT)
    assert (work.trace_id, work.parent_span_id) == (request.trace_id, request.span_id)
    (line,) = answered(service)
    assert (line["trace_id"], line["span_id"]) == (TRACE, request.span_id.hex())
    (resource,) = collector.resources
    assert resource == {"service.name": "taskservice", "service.version": __version__}


def test_a_span_contains_no_client_data(tmp_path: Path, settings: dict[str, str]) -> None:
    """No path, query, header, title, user or address: only words of ours, numbers and ids."""
    with collecting() as collector:
        settings["OTEL_TRACES_EXPORTER"] = "otlp"
        settings["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f"{collector.address}/v1/traces"
        with gunicorn(tmp_path, **settings) as service:
            service("POST", PATH, ADA, {"title": "Buy milk"}, **HEADERS)
            service("GET", f"{PATH}?q=Buy%20milk", ADA, **{"User-Agent": "Buy milk"})
            service("FOO", f"/nowhere/{PATH}", ADA, **{"X-Request-Id": "evil"})
            assert service.stop() == 0
    known = {"http.request.method", "http.route", "http.response.status_code"}
    names = {f"POST {TASKS}", f"GET {TASKS}", "OTHER", "tasks"}
    assert {span.name for span in collector.spans} == names
    for span in collector.spans:
        assert attributes(span).keys() <= known
        assert (list(span.events), span.trace_state, span.status.message) == ([], "", "")
    logged = str(collector.requests)
    for text in ("milk", "Buy", "evil", "ada", "nowhere", "127.0.0.1"):
        assert text not in logged


def test_an_outage_is_an_error_without_its_words(tmp_path: Path, settings: dict[str, str]) -> None:
    """Both spans have failed, and say of what kind; what the database said is for the log."""
    settings["DATABASE_URL"] = f"postgresql://x:{DATABASE_PASSWORD}@127.0.0.1:1/tasks"
    with collecting() as collector:
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.address
        with gunicorn(tmp_path, **settings) as service:
            assert service("GET", PATH, ADA).status == 503
            assert service.stop() == 0
    assert {attributes(span)["error.type"] for span in collector.spans} == {"503", "Unavailable"}
    for span in collector.spans:
        assert span.status == SpanStatus(code=SpanStatus.STATUS_CODE_ERROR)


def test_an_unavailable_collector_does_not_affect_requests(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """Requests are answered, and the service ends in time."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        place = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with gunicorn(tmp_path, **settings, OTEL_EXPORTER_OTLP_ENDPOINT=place) as service:
        assert service("GET", PATH, ADA).status == 200
        assert service.stop() == 0
    (line,) = answered(service)
    assert line["trace_id"]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    ],
)
def test_tracing_that_is_off_costs_nothing(
    tmp_path: Path, settings: dict[str, str], variables: dict[str, str]
) -> None:
    """Nothing of it is imported."""
    script = "import sys, taskservice.wsgi; print('opentelemetry' in sys.modules)"
    result = run(write_program(tmp_path, script), tmp_path, **settings, **variables)
    assert (result.stdout, result.stderr) == ("False\n", "")


def test_an_exporter_that_is_not_known_is_a_warning(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """Only OTLP is sent."""
    settings["OTEL_TRACES_EXPORTER"] = "zipkin"
    result = run(write_program(tmp_path, "import taskservice.wsgi"), tmp_path, **settings)
    (line,) = map(json.loads, result.stderr.splitlines())
    assert (line["event"], line["setting"]) == ("tracing disabled", "OTEL_TRACES_EXPORTER")


def test_without_the_extra_the_service_starts_and_says_so(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """Variables that ask for traces, where the packages are missing: a warning with the remedy."""
    settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
    script = "import sys; sys.modules['opentelemetry'] = None; import taskservice.wsgi"
    result = run(write_program(tmp_path, script), tmp_path, **settings)
    assert result.returncode == 0
    (line,) = map(json.loads, result.stderr.splitlines())
    assert (line["level"], line["event"]) == ("warning", "tracing disabled")
    assert line["install"] == "taskservice[otel]"
