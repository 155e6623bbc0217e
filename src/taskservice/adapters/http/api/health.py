"""Health checks: `/livez` (liveness) and `/readyz` (readiness), both public."""

import logging
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, jsonify
from flask_smorest import Blueprint
from marshmallow import fields

from taskservice.adapters.http.openapi.headers import REQUEST_ID_HEADER
from taskservice.adapters.http.openapi.problems import PROBLEM_RESPONSES
from taskservice.adapters.http.protocol.problems import RETRY_AFTER_SECONDS, problem_response
from taskservice.adapters.http.protocol.strict_fields import ResponseSchema
from taskservice.core.errors import Unavailable
from taskservice.core.operations.readiness import Probe

PROBES = "taskservice-probes"
"""The key of the probes in the application's extensions."""

_log = logging.getLogger("taskservice")

BAD_FRAMING_RESPONSE: dict[str, Any] = {
    "schema": {"type": "string"},
    "content_type": "text/html",
    "description": "The request or one of its headers is malformed. The HTTP server itself "
    "sends this page.",
}

blueprint = Blueprint(
    "health", __name__, description="Health checks for load balancers and monitoring."
)


class LifeSchema(ResponseSchema):
    """The process is alive."""

    status = fields.String(
        required=True, metadata={"description": "Always `alive`.", "enum": ["alive"]}
    )


class ReadinessSchema(ResponseSchema):
    """Every check passed."""

    status = fields.String(
        required=True, metadata={"description": "Always `ready`.", "enum": ["ready"]}
    )
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "The result of each check."},
    )


@blueprint.get("/livez")
@blueprint.response(200, LifeSchema(), headers=REQUEST_ID_HEADER, example={"status": "alive"})
@blueprint.alt_response(400, **BAD_FRAMING_RESPONSE)
@blueprint.doc(operationId="livez", security=[])
def livez() -> dict[str, str]:
    """Check liveness.

    The process is running. Restart it if this fails.
    """
    return {"status": "alive"}


@blueprint.get("/readyz")
@blueprint.response(
    200,
    ReadinessSchema(),
    headers=REQUEST_ID_HEADER,
    example={"status": "ready", "checks": {"database": "ok", "schema": "ok", "keys": "ok"}},
)
@blueprint.alt_response(400, **BAD_FRAMING_RESPONSE)
@blueprint.alt_response(503, PROBLEM_RESPONSES["unavailable"][1])
@blueprint.doc(operationId="readyz", security=[])
def readyz() -> Response:
    """Check readiness.

    The database, its schema and the keys are usable. Send no traffic if this fails.
    """
    probes: Mapping[str, Probe] = current_app.extensions[PROBES]
    checks = {name: _run_probe(name, probe) for name, probe in probes.items()}
    if set(checks.values()) <= {"ok"}:
        return jsonify({"status": "ready", "checks": checks})
    return _not_ready(checks)


def _run_probe(name: str, probe: Probe) -> str:
    try:
        probe()
    except Unavailable as error:
        _log.warning("readiness check failed", extra={"check": name, "reason": str(error)})
        return "unavailable"
    return "ok"


def _not_ready(checks: dict[str, Any]) -> Response:
    failed = ", ".join(name for name, state in checks.items() if state != "ok")
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem_response("unavailable", f"not ready: {failed}", headers, checks=checks)
