"""Composition root: creates the application and its parts from the settings."""

import logging
import os
from collections.abc import Mapping
from functools import partial

from flask import Flask

from taskservice import temporary_folder
from taskservice.adapters import prometheus
from taskservice.adapters.http.access_log import current_route
from taskservice.adapters.http.application import http_application
from taskservice.adapters.http.protocol.rate_limit import RateLimits
from taskservice.adapters.jwt import KeySet, KeySource, SharedSecret, Verifier
from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.ratelimit import create_counters
from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.readiness import require_ready
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.engine import pooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.tracing import tracing
from taskservice.config import NO_LIMIT, ConfigError, Settings
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Unavailable
from taskservice.core.operations.admission import Admission
from taskservice.core.operations.metrics import NO_METRICS, Metrics
from taskservice.core.operations.rate_limits import Rate, RateLimit
from taskservice.core.operations.readiness import Probe, SharedProbe
from taskservice.core.workspace import OpenWorkspace
from taskservice.docstring_check import require_docstrings
from taskservice.listening_socket import authority, listen
from taskservice.startup_checks import check_in_worker, parse_database_url

PROBE_CONNECTIONS = 1
"""Connections beyond the pool size, so that `/readyz` works while all others are in use."""

ADDRESS_LIMIT_FACTOR = 10
"""Failed authentications allowed per address, as a multiple of a user's rate limit."""

_log = logging.getLogger("taskservice")


def create_app(
    open_workspace: OpenWorkspace,
    settings: Settings,
    probes: Mapping[str, Probe] | None = None,
    metrics: Metrics = NO_METRICS,
    clock: Clock = system_clock,
) -> Flask:
    """Return an application over `open_workspace`, which may be any storage adapter.

    `/readyz` checks `probes` and the verification keys. `metrics` receives
    events, and `clock` times the rate limits. The database settings in
    `settings` are ignored. A key set is fetched once; if that fails, the
    application is not ready until a later fetch succeeds. Raises `ValueError`
    if the secret cannot verify tokens, and `ConfigError` under `python -OO`.
    """
    require_docstrings()
    keys = verification_keys(settings, metrics)
    return http_application(
        token_verifier(keys, settings),
        open_workspace,
        {**(probes or {}), "keys": keys.probe},
        require_if_match=settings.require_if_match,
        trash_days=settings.trash_days,
        origins=settings.cors_origins,
        headers=settings.cors_headers,
        proxies=settings.proxies,
        limits=rate_limits(settings, clock),
        metrics=metrics,
    )


def rate_limits(settings: Settings, clock: Clock) -> RateLimits | None:
    """Return the rate limits of users and addresses, None if rate limiting is off."""
    if settings.rate_limit == NO_LIMIT:
        return None
    rate = Rate.parse(settings.rate_limit)
    counters = create_counters(settings.rate_limit_storage, clock)
    of_address = RateLimit(rate.times(ADDRESS_LIMIT_FACTOR), counters, clock)
    return RateLimits(RateLimit(rate, counters, clock), of_address)


def production_app(settings: Settings) -> Flask:
    """Return the application over the configured database. Raises `ConfigError`.

    If the database is unreachable, retry in the background and log each attempt.
    """
    check_in_worker(settings)
    metrics = prometheus.create_metrics() if settings.metrics_address else NO_METRICS
    engine = pooled_engine(
        parse_database_url(settings.database_url),
        pool_size=settings.pool_size,
        pool_timeout=settings.pool_timeout,
        prepared_statements=settings.prepared_statements,
        timeouts=Timeouts(settings.statement_timeout, settings.lock_timeout),
        max_overflow=PROBE_CONNECTIONS,
        allow_privileged_role=settings.allow_privileged_role,
        metrics=metrics,
    )
    probes = {
        "database": SharedProbe(partial(schema.require_reachable, engine)),
        "schema": SharedProbe(
            partial(require_ready, engine, allow_privileged_role=settings.allow_privileged_role)
        ),
    }
    tracer = tracing(os.environ)
    admission = Admission(
        tracer.trace_workspaces(SqlStorage(engine).open_workspace),
        slots=settings.pool_size,
        wait_timeout=settings.pool_timeout,
    )
    app = create_app(admission.open_workspace, settings, probes, metrics)
    tracer.trace_app(app, current_route)
    return app


def serve_metrics(settings: Settings) -> None:
    """Start the metrics server if `settings` configure it, before workers are forked.

    Raises `ConfigError`.
    """
    if settings.metrics_address is None:
        return
    folder = temporary_folder.create_folder()
    try:
        listener = listen(*settings.metrics_address)
    except OSError as error:
        address = authority(*settings.metrics_address)
        raise ConfigError(
            f"TASKSERVICE_METRICS_ADDRESS: cannot listen on {address}: {error.strerror}"
        ) from None
    prometheus.serve(listener, folder)
    address = authority(*listener.getsockname()[:2])
    _log.info("metrics server listening", extra={"address": address})


def verification_keys(settings: Settings, metrics: Metrics = NO_METRICS) -> KeySource:
    """Return the verification keys: the shared secret, or the issuer's key set, fetched once."""
    if not settings.jwks_url:
        return SharedSecret(settings.jwt_secret or "")
    keys = KeySet(settings.jwks_url, refresh=settings.jwks_refresh, metrics=metrics)
    try:
        keys.probe()
    except Unavailable as error:
        _log.warning("jwks not loaded at startup", extra={"reason": str(error)})
    return keys


def token_verifier(keys: KeySource, settings: Settings) -> Verifier:
    """Return the verifier of tokens, as `settings` configure it."""
    return Verifier(
        keys,
        subject_claim=settings.jwt_subject_claim,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )


def openapi_document() -> bytes:
    """Return the OpenAPI document, as `/openapi.json` serves it."""
    settings = Settings(database_url="", jwt_secret="x" * 32)
    app = create_app(InMemoryStorage().open_workspace, settings)
    # full_dispatch_request bypasses the access log, which wraps the WSGI application.
    with app.test_request_context("/openapi.json"):
        return app.full_dispatch_request().get_data()
