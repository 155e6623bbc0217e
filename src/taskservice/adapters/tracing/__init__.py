"""Traces for OpenTelemetry: where its variables ask for them, and the extra `otel` is there.

What is sent is ours, word by word: no path, no query, no header, no statement
and no message of an exception. See `docs/decisions/0015-watching.md`.
"""

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

from flask import Flask

from taskservice.core.service import OpenTasks

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"

_log = logging.getLogger("taskservice")


class Tracing(NamedTuple):
    """What wraps an application, and what wraps a home for tasks, so that each makes spans."""

    app: Callable[[Flask, Callable[[], tuple[str, str | None]]], None]
    open_tasks: Callable[[OpenTasks], OpenTasks]


def tracing(environ: Mapping[str, str]) -> Tracing:
    """Return what traces as `environ` says, or leaves all as it is where it does not say so.

    It starts a thread: call it in the process that serves, after the fork.
    """
    if not _is_asked_for(environ):
        return Tracing(lambda _, __: None, lambda open_tasks: open_tasks)
    try:
        spans = import_module("taskservice.adapters.tracing.spans")
    except ModuleNotFoundError as error:
        _log.warning(
            "tracing disabled",
            extra={"missing": error.name, "install": "taskservice[otel]"},
        )
        return tracing({})
    spans.start()
    return Tracing(spans.trace_app, spans.traced_tasks)


def _is_asked_for(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get(EXPORTER) or ("otlp" if any(map(environ.get, ENDPOINTS)) else "none")
    if exporter not in {"otlp", "none"}:
        _log.warning("tracing disabled", extra={"setting": EXPORTER, "supported": "otlp, none"})
    return exporter == "otlp"
