"""The wiring: settings in, application out. The only place that knows every part."""

import logging
import os
from collections.abc import Mapping
from functools import partial

from flask import Flask

from taskservice import temporary_files
from taskservice.adapters import prometheus
from taskservice.adapters.http.access_log import current_route
from taskservice.adapters.http.application import http_application
from taskservice.adapters.http.protocol.rate_limit import RateLimits
from taskservice.adapters.jwt import Keys, KeySet, SharedSecret, Verifier
from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.ratelimit import counters_at
from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.readiness import require_usable
from taskservice.adapters.sql.connection.sessions import Timeouts
from taskservice.adapters.sql.engine import pooled_engine
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.adapters.tracing import tracing
from taskservice.config import NO_LIMIT, ConfigError, Settings
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Unavailable
from taskservice.core.operations.admission import Admission
from taskservice.core.operations.metrics import NO_METRICS, Metrics
from taskservice.core.operations.rate_limits import Rate, RateLimit
from taskservice.core.operations.readiness import Probe, SharedProbe
from taskservice.core.service import OpenTasks
from taskservice.docstrings import require_docstrings
from taskservice.listening import authority, listen
from taskservice.startup import check_in_worker, parsed_address

FOR_PROBES = 1
"""A connection to look with whether the database answers, where all others are in use."""

FLOOR = 10
"""An address may be refused so many times as often as a user may ask."""

_log = logging.getLogger("taskservice")


def create_app(
    open_tasks: OpenTasks,
    settings: Settings,
    probes: Mapping[str, Probe] | None = None,
    metrics: Metrics = NO_METRICS,
    clock: Clock = system_clock,
) -> Flask:
    """Return an application over `open_tasks`, for whoever brings a home for tasks of their own.

    `probes` are what `/readyz` looks at, beside the keys; `metrics` hears what
    happens; rates are counted by `clock`. Of `settings`, those of the database
    are not used. A key set is fetched once here; where that fails, the
    application is not ready until it was fetched. Raises `ValueError` where
    the secret is none to verify with, and `ConfigError` under `python -OO`.
    """
    require_docstrings()
    keys = token_keys(settings, metrics)
    return http_application(
        token_verifier(keys, settings),
        open_tasks,
        {**(probes or {}), "keys": keys.probe},
        require_if_match=settings.require_if_match,
        origins=settings.cors_origins,
        headers=settings.cors_headers,
        proxies=settings.proxies,
        limits=rate_limits(settings, clock),
        metrics=metrics,
    )


def rate_limits(settings: Settings, clock: Clock) -> RateLimits | None:
    """Return what is counted, and where; None where nothing is limited."""
    if settings.rate_limit == NO_LIMIT:
        return None
    rate = Rate.parse(settings.rate_limit)
    counters = counters_at(settings.rate_limit_storage, clock)
    return RateLimits(
        RateLimit(rate, counters, clock), RateLimit(rate.times(FLOOR), counters, clock)
    )


def production_app(settings: Settings) -> Flask:
    """Return the application over the configured database. Raises `ConfigError`.

    A database that cannot be reached is looked for again, and the log says so.
    """
    check_in_worker(settings)
    metrics = prometheus.counting() if settings.metrics_address else NO_METRICS
    engine = pooled_engine(
        parsed_address(settings.database_url),
        pool_size=settings.pool_size,
        pool_timeout=settings.pool_timeout,
        prepared_statements=settings.prepared_statements,
        timeouts=Timeouts(settings.statement_timeout, settings.lock_timeout),
        spare=FOR_PROBES,
        allow_privileged_role=settings.allow_privileged_role,
        metrics=metrics,
    )
    probes = {
        "database": SharedProbe(partial(schema.require_reachable, engine)),
        "schema": SharedProbe(
            partial(require_usable, engine, allow_privileged_role=settings.allow_privileged_role)
        ),
    }
    traced = tracing(os.environ)
    admission = Admission(
        traced.open_tasks(SqlTasks(engine).open_tasks),
        slots=settings.pool_size,
        wait_timeout=settings.pool_timeout,
    )
    app = create_app(admission.open_tasks, settings, probes, metrics)
    traced.app(app, current_route)
    return app


def serve_metrics(settings: Settings) -> None:
    """Serve metrics where `settings` ask for it, before workers are forked off.

    Raises `ConfigError`.
    """
    if settings.metrics_address is None:
        return
    folder = temporary_files.make_folder()
    place = authority(*settings.metrics_address)
    try:
        listener = listen(*settings.metrics_address)
    except OSError as error:
        raise ConfigError(
            f"TASKSERVICE_METRICS_ADDRESS cannot be listened on: {place}: {error.strerror}"
        ) from None
    prometheus.serve(listener, folder)
    address = authority(*listener.getsockname()[:2])
    _log.info("metrics server listening", extra={"address": address})


def token_keys(settings: Settings, metrics: Metrics = NO_METRICS) -> Keys:
    """Return the keys that tokens are tested with, fetched where an issuer has them."""
    if not settings.jwks_url:
        return SharedSecret(settings.jwt_secret or "")
    keys = KeySet(settings.jwks_url, refresh=settings.jwks_refresh, metrics=metrics)
    try:
        keys.probe()
    except Unavailable as error:
        _log.warning("jwks not loaded at startup", extra={"reason": str(error)})
    return keys


def token_verifier(keys: Keys, settings: Settings) -> Verifier:
    """Return what tells whose a token is, as the service does."""
    return Verifier(
        keys,
        subject_claim=settings.jwt_subject_claim,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )


def openapi_document() -> bytes:
    """Return the OpenAPI document, as `/openapi.json` serves it."""
    settings = Settings(database_url="", jwt_secret="x" * 32)
    app = create_app(InMemoryTasks().open_tasks, settings)
    # The log of requests is around the application, and not in it.
    with app.test_request_context("/openapi.json"):
        return app.full_dispatch_request().get_data()
