"""A blueprint that documents, for each operation, the problems that its shape makes possible."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Flask
from flask_smorest import Blueprint

from taskservice.adapters.http.openapi.examples import TASK_ID as EXAMPLE_ID
from taskservice.adapters.http.openapi.headers import REQUEST_HEADERS
from taskservice.adapters.http.openapi.problems import PROBLEM_RESPONSES
from taskservice.adapters.http.protocol.parser import StrictParser

EVERY_CALL = (
    "unauthenticated",
    "not-your-tasks",
    "too-many-requests",
    "malformed-request",
    "precondition-failed",
    "internal",
    "unavailable",
)
WITH_BODY = ("body-too-large", "unsupported-media-type", "invalid-request")
WITH_PARAMETERS = ("invalid-request",)
WITH_TASK = ("task-not-found",)
WITH_KEY = ("body-too-large", "key-in-use", "key-reused", "storage-full")
WITH_CONDITION = ("precondition-required",)

TASK_ID = {
    "in": "path",
    "name": "task_id",
    "description": "The task: the `id` that it was given when it was made.",
    "example": EXAMPLE_ID,
}


class DocumentedBlueprint(Blueprint):
    """A blueprint with strict parsing, whose operations are named after their functions."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_document_headers)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *args: Any,
        headers: Sequence[str] = (),
        links: Sequence[str] = (),
        **options: Any,
    ) -> None:
        """Register a view, what can go wrong in it, and the request `headers` that it heeds.

        Its answer leads on to other operations by `links`.
        """
        assert view_func is not None
        apidoc = vars(view_func).setdefault("_apidoc", {})
        apidoc.setdefault("manual_doc", {})["operationId"] = view_func.__name__
        responses = apidoc.setdefault("response", {}).setdefault("responses", {})
        apidoc["headers"] = [REQUEST_HEADERS[name] for name in headers]
        if links:
            (answer,) = responses[min(apidoc["success_status_codes"])]
            answer["links"] = {name: {"$ref": f"#/components/links/{name}"} for name in links}
        for problem in _problems(rule, apidoc, headers):
            status, name = PROBLEM_RESPONSES[problem]
            responses[status] = [name]
        if "<uuid:task_id>" in rule:
            options["parameters"] = [dict(TASK_ID)]
        super().add_url_rule(rule, endpoint, view_func, *args, **options)


def patch_media_types(app: Flask, path: str) -> tuple[str, ...]:
    """Return what the PATCH of the rule `path` takes, nothing where it has none."""
    for rule in app.url_map.iter_rules():
        if rule.rule == path and "PATCH" in (rule.methods or ()):
            (body,) = vars(app.view_functions[rule.endpoint])["_apidoc"]["arguments"]["parameters"]
            return tuple(body["schema"].media_types)
    return ()


def _document_headers(doc: dict[str, Any], info: dict[str, Any], **_: Any) -> dict[str, Any]:
    if info.get("headers"):
        doc.setdefault("parameters", []).extend(info["headers"])
    return doc


def _problems(rule: str, apidoc: dict[str, Any], headers: Sequence[str]) -> Iterator[str]:
    """Yield the problems of an operation; of two with one status, last the one that names both."""
    yield from EVERY_CALL
    if "If-Match" in headers:
        yield from WITH_CONDITION
    if "<uuid:task_id>" in rule:
        yield from WITH_TASK
    for parameters in apidoc.get("arguments", {}).get("parameters", []):
        yield from WITH_BODY if parameters["in"] == "json" else WITH_PARAMETERS
    if "Idempotency-Key" in headers:
        yield from WITH_KEY
