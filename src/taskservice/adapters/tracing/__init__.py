"""OpenTelemetry tracing: enabled by its environment variables, with the extra `otel`.

Spans contain no path, query, header, statement or exception message. See
`docs/decisions/0015-watching.md`.
"""

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

from flask import Flask

from taskservice.core.workspace import OpenWorkspace

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"

_log = logging.getLogger("taskservice")


class Tracing(NamedTuple):
    """Functions that add spans to an application and to a storage adapter."""

    trace_app: Callable[[Flask, Callable[[], tuple[str, str | None]]], None]
    trace_workspaces: Callable[[OpenWorkspace], OpenWorkspace]


def tracing(environ: Mapping[str, str]) -> Tracing:
    """Return functions that trace if `environ` enables tracing, and do nothing otherwise.

    The exporter starts a thread: call this in the worker, after the fork.
    """
    if not _is_enabled(environ):
        return Tracing(lambda _, __: None, lambda open_workspace: open_workspace)
    try:
        spans = import_module("taskservice.adapters.tracing.spans")
    except ModuleNotFoundError as error:
        _log.warning(
            "tracing disabled",
            extra={"missing": error.name, "install": "taskservice[otel]"},
        )
        return tracing({})
    spans.start()
    return Tracing(spans.trace_app, spans.trace_workspaces)


def _is_enabled(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get(EXPORTER) or ("otlp" if any(map(environ.get, ENDPOINTS)) else "none")
    if exporter not in {"otlp", "none"}:
        _log.warning("tracing disabled", extra={"setting": EXPORTER, "supported": "otlp, none"})
    return exporter == "otlp"
