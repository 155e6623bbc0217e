"""The service in its flavours: settings that must not change the answer to any entry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from tests.hostile.wire import Exchange
from tests.hostile.world import SETTINGS, World
from tests.processes import Service, gunicorn

from taskservice.app import create_app
from taskservice.config import Settings
from taskservice.core.service import OpenTasks

FLAVOURS: dict[str, dict[str, str]] = {
    "plain": {},
    "behind a proxy, for pages of other origins": {
        "TASKSERVICE_CORS_ORIGINS": "https://app.example",
        "TASKSERVICE_PROXIES": "1",
    },
}
"""Settings by the name of the flavour, as of the environment."""


def world_over(exchange: Exchange, flavour: dict[str, str]) -> World:
    """Return the world at the end of `exchange`, where the service is of that flavour."""
    origins = flavour.get("TASKSERVICE_CORS_ORIGINS", "").split(",")
    believed = "TASKSERVICE_PROXIES" in flavour
    return World(exchange, believed=believed, origins=[origin for origin in origins if origin])


def corpus_app(open_tasks: OpenTasks, **settings: str) -> Flask:
    """Return the application over `open_tasks` with further `settings`, as of the environment."""
    environ = {"DATABASE_URL": "sqlite:///unused.db", **SETTINGS, **settings}
    return create_app(open_tasks, Settings.from_environment(environ))


@contextmanager
def corpus_service(folder: Path, address: str, **settings: str) -> Iterator[Service]:
    """Run gunicorn over the database at `address`."""
    with gunicorn(folder, DATABASE_URL=address, **SETTINGS, **settings) as service:
        yield service


def to_its_end(service: Service) -> str:
    """Stop the service, and return all that it printed."""
    assert service.stop() == 0
    service.output.finish()
    return "".join(service.output)
