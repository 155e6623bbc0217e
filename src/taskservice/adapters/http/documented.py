"""A blueprint that documents, for each operation, the problems that its shape makes possible."""

from collections.abc import Callable, Iterator
from typing import Any

from flask_smorest import Blueprint

from taskservice.adapters.http.openapi import PROBLEM_RESPONSES
from taskservice.adapters.http.parser import StrictParser

EVERY_CALL = ("unauthenticated", "not-your-tasks", "internal", "unavailable")
WITH_BODY = ("malformed-request", "body-too-large", "unsupported-media-type", "invalid-request")
WITH_CURSOR = ("malformed-request", "invalid-request")
WITH_PARAMETERS = ("invalid-request",)
WITH_TASK = ("task-not-found",)


class DocumentedBlueprint(Blueprint):
    """A blueprint with strict parsing, whose operations are named after their functions."""

    ARGUMENTS_PARSER = StrictParser()

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *args: Any,
        **options: Any,
    ) -> None:
        """Register a view, and what can go wrong in it, in the document."""
        assert view_func is not None
        apidoc = vars(view_func).setdefault("_apidoc", {})
        apidoc.setdefault("manual_doc", {})["operationId"] = view_func.__name__
        responses = apidoc.setdefault("response", {}).setdefault("responses", {})
        for problem in _problems(rule, apidoc):
            status, name = PROBLEM_RESPONSES[problem]
            responses[status] = [name]
        super().add_url_rule(rule, endpoint, view_func, *args, **options)


def _problems(rule: str, apidoc: dict[str, Any]) -> Iterator[str]:
    yield from EVERY_CALL
    if "<uuid:task_id>" in rule:
        yield from WITH_TASK
    for parameters in apidoc.get("arguments", {}).get("parameters", []):
        if parameters["in"] == "json":
            yield from WITH_BODY
        elif "cursor" in parameters["schema"].fields:
            yield from WITH_CURSOR
        else:
            yield from WITH_PARAMETERS
