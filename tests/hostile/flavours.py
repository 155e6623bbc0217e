"""The service in its flavours: settings that must not change the answer to any entry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from tests.hostile.world import SETTINGS
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


def believes_a_proxy(flavour: dict[str, str]) -> bool:
    """Tell whether the service believes what a proxy in front of it says."""
    return "TASKSERVICE_PROXIES" in flavour


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
