"""Bodies at their limit, and what is said of each fault; `tests/hostile/bodies.py` has more."""

import json
import re
from typing import Any

import pytest
from marshmallow import fields
from tests.hostile.rules import LONGEST_RULE
from tests.http_callers import ApiClient
from tests.problem_details import faults, problem
from tests.processes import ROOT

from taskservice.adapters.http.api import schemas
from taskservice.adapters.http.api.labels import LabelRenameSchema
from taskservice.adapters.http.protocol.bodies import BodySchema
from taskservice.adapters.http.protocol.request import BATCH_BODY_LIMIT, BODY_LIMIT
from taskservice.adapters.http.protocol.strict_fields import KindField
from taskservice.core.kinds import Boolean, Choice, Integer, Kind, Reference, Text
from taskservice.core.labels import LABEL_LIMIT, Label, Labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.recurrence_rule import RecurrenceText
from taskservice.core.task import DESCRIPTION_LIMIT, TITLE_LIMIT
from taskservice.core.zones import ZONE_NAMES, TimeZone

DOCS = ROOT / "docs"
JSON = "application/json"
BODIES = [
    kind
    for name, kind in vars(schemas).items()
    if isinstance(kind, type) and issubclass(kind, BodySchema) and name[0] != "_" and kind().fields
]
BODIES += [LabelRenameSchema]

MOVES = {schemas.TaskMoveSchema, schemas.TaskListMoveSchema}
"""Bodies with exactly one of their fields."""

LONGEST: dict[type[Kind], str] = {
    DateOrTime: "2026-03-29T09:00:00",
    Reference: "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11",
    RecurrenceText: LONGEST_RULE,
    TimeZone: max(ZONE_NAMES, key=len),
}


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def longest(field: fields.Field[Any]) -> str:
    """Return the longest spelling of the longest value of a field: two escapes a code point."""
    match field:
        case KindField(kind=Text() | Label()):
            emoji = r"\ud83d\ude00" * field.metadata["maxLength"]
            return f'"{emoji}"'
        case KindField(kind=Boolean()):
            return "false"
        case KindField(kind=Integer(_, maximum)):
            return str(maximum)
        case KindField(kind=Labels(limit)):
            labels = (chr(0x1F600 + n) + "\U0001f600" * (LABEL_LIMIT - 1) for n in range(limit))
            return json.dumps(list(labels))
        case KindField(kind=Choice(words)):
            return f'"{escaped(max(words, key=len))}"'
        case KindField(kind=kind) if type(kind) in LONGEST:
            return f'"{escaped(LONGEST[type(kind)])}"'
    raise AssertionError(f"say how long {field!r} can be")


@pytest.mark.parametrize("kind", BODIES)
def test_the_longest_body_fits(kind: type[BodySchema]) -> None:
    """Whatever the fields allow is under the limit, every letter of it escaped and indented."""
    written = {name: longest(field) for name, field in kind().fields.items()}
    chosen = [max(written, key=lambda name: len(written[name]))] if kind in MOVES else [*written]
    members = [f'"{escaped(name)}": {written[name]}' for name in chosen]
    body = "".join(["{", *(f"\r\n        {member}," for member in members)])[:-1] + "\r\n}\r\n"
    assert len(body) <= BODY_LIMIT
    kind().load(json.loads(body))


def test_the_longest_task_is_taken(ada: ApiClient) -> None:
    """`json.dumps` escapes what is no ASCII: 120 kB for a description of 10,000 emoji."""
    new = {"title": "\U0001f600" * TITLE_LIMIT, "description": "\U0001f600" * DESCRIPTION_LIMIT}
    response = ada("POST", data=json.dumps(new), content_type=JSON)
    assert (response.status_code, {**new, **response.json}) == (201, response.json)


@pytest.mark.parametrize("page", ["api.md", "operations.md", "architecture.md"])
def test_the_documents_name_the_limits(page: str) -> None:
    """They are said where somebody looks for them, and no other is."""
    text, limits = (DOCS / page).read_text(), {BODY_LIMIT // 1024, BATCH_BODY_LIMIT // 1024}
    said = re.findall(r"(\d+) KiB of body|[Bb]od(?:y|ies).{0,40}?(\d+) KiB", text)
    assert {int(number) for pair in said for number in pair if number} <= limits
    assert all(f" {limit} KiB" in text for limit in limits)


def test_nginx_lets_through_what_the_service_answers() -> None:
    """Its own limits are beyond ours, it answers alike, and holds a body in memory."""
    text = (DOCS / "deploy" / "nginx.conf").read_text()
    (of_batch,) = re.findall(r"location ~ \^/api/tasks/\[\^/\]\+/batch\$ \{.*?\}", text, re.DOTALL)
    limits = {text.replace(of_batch, ""): BODY_LIMIT, of_batch: BATCH_BODY_LIMIT}
    for part, limit in limits.items():
        sizes = dict(re.findall(r"(client_max_body_size|client_body_buffer_size) (\d+)k;", part))
        assert len(sizes) == 2
        assert all(int(size) * 1024 > limit for size in sizes.values())
    assert "client_max_body_size 512k;" in of_batch
    assert '"detail":"the body is too large"' in text


WRITES: dict[str, tuple[str, str, Any, int]] = {
    "a batch": ("POST", "/api/tasks/ada/batch", {"commands": []}, BATCH_BODY_LIMIT),
    "a task": ("POST", "/api/tasks/ada/tasks", {}, BODY_LIMIT),
    "a list": ("POST", "/api/tasks/ada/lists", {}, BODY_LIMIT),
    "a label": ("PATCH", "/api/tasks/ada/labels", {}, BODY_LIMIT),
}


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "key"}])
@pytest.mark.parametrize("what", WRITES)
def test_a_body_has_the_limit_of_its_path(ada: ApiClient, what: str, key: dict[str, str]) -> None:
    """One of that size is read, with a key or without; one byte more is 413."""
    method, path, body, limit = WRITES[what]
    longest = json.dumps(body).encode().ljust(limit)
    problem(ada(method, path, data=longest, content_type=JSON, headers=key), 422, "invalid-request")
    refused = ada(method, path, data=longest + b" ", content_type=JSON, headers=key)
    detail = problem(refused, 413, "body-too-large")["detail"]
    assert detail == f"the body is larger than {limit:,} bytes"


def test_a_chunked_body_that_may_have_broken_off_is_refused(ada: ApiClient) -> None:
    """granian reads lost chunks as an empty body, which would complete what they reopen."""
    task = ada.create()
    broken = {"SERVER_SOFTWARE": "Granian", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = ada("PATCH", f"{ada.path}/{task['id']}/complete", environ_overrides=broken)
    problem(answer, 400, "malformed-request")
    assert ada("GET", f"{ada.path}/{task['id']}").json == task


def test_parameters_beside_a_body_are_refused(ada: ApiClient) -> None:
    """Every fault is listed, those of the body and those of the query."""
    assert faults(ada("POST", "?dry_run=1", json={"title": ""})) == {
        "?dry_run": "is not a parameter of this operation",
        "/title": "must not be blank",
    }
    assert faults(ada("POST", "?dry_run=1", json={"title": "x"})) == {
        "?dry_run": "is not a parameter of this operation"
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], {"": "must be a JSON object"}),
        ({"title": "x", "id": 1}, {"/id": "is not a field that can be set"}),
        ({"title": "\ud800"}, {"/title": "must be Unicode text, without lone surrogates"}),
        ({}, {"/title": "is required"}),
        ({"title": None}, {"/title": "must not be null"}),
        ({"title": 1}, {"/title": "must be a string"}),
        ({"title": ["x"]}, {"/title": "must be a string"}),
        ({"title": 9_999_999_999_999_999_999}, {"/title": "must be a string"}),
        ({"title": "   "}, {"/title": "must not be blank"}),
        ({"title": "x" * 256}, {"/title": "must be at most 255 characters"}),
        ({"title": "a\0"}, {"/title": "must not contain control characters"}),
        ({"title": "x", "description": 1}, {"/description": "must be a string"}),
        (
            {"title": "x", "description": "y" * 10_001},
            {"/description": "must be at most 10,000 characters"},
        ),
        ({"title": "x", "completed": None}, {"/completed": "must not be null"}),
        ({"title": "x", "completed": 1}, {"/completed": "must be true or false"}),
        ({"title": "x", "completed": "on"}, {"/completed": "must be true or false"}),
        (
            {"title": "", "completed": "x", "description": 3},
            {
                "/title": "must not be blank",
                "/completed": "must be true or false",
                "/description": "must be a string",
            },
        ),
    ],
)
def test_every_fault_of_a_task_is_named(
    ada: ApiClient, body: Any, expected: dict[str, str]
) -> None:
    """422 lists each fault by its place, and stores nothing."""
    response = ada("POST", data=json.dumps(body), content_type=JSON)
    assert faults(response) == expected
    assert ada("GET").json == []


def test_pointers_are_escaped(ada: ApiClient) -> None:
    """`~` and `/` in a name are escaped (RFC 6901); what is no text is shown as `?`."""
    body = b'{"title": "x", "a/b~c": 1, "\\ud800": 2}'
    assert faults(ada("POST", data=body, content_type=JSON)).keys() == {"/a~1b~0c", "/?"}


def test_at_most_50_faults_are_listed(ada: ApiClient) -> None:
    """The list of faults is bounded; the detail has the count of all."""
    response = ada("POST", json={"title": "x"} | {f"f{n}": n for n in range(80)})
    body = problem(response, 422, "invalid-request")
    assert (len(body["errors"]), body["detail"]) == (50, "80 fields are not valid")
