"""The service in its flavours and on its engines, which must not change any answer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.databases import migrated_database, sqlite_database
from tests.hostile.runner import SETTINGS, CorpusRunner
from tests.hostile.transports import Transport, in_process
from tests.postgres import Databases
from tests.processes import Service, gunicorn

from taskservice.app import create_app
from taskservice.config import Settings
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.workspace import OpenWorkspace, Workspace

PLAIN = "plain"
FLAVOURS: dict[str, dict[str, str]] = {
    PLAIN: {},
    "behind a proxy, for pages of other origins": {
        "TASKSERVICE_CORS_ORIGINS": "https://app.example",
        "TASKSERVICE_PROXIES": "1",
    },
}
"""Settings by the name of the flavour, as of the environment."""

ENGINES = ("sqlite", "postgresql")


class CountingStorage:
    """Storage that counts how often it is opened."""

    def __init__(self, open_workspace: OpenWorkspace) -> None:
        self._open_workspace = open_workspace
        self.times = 0

    def __call__(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> AbstractContextManager[Workspace]:
        self.times += 1
        return self._open_workspace(owner, atomic=atomic, origin=origin)


@contextmanager
def new_database(engine: str, folder: Path, postgresql: Databases) -> Iterator[str]:
    """Make and migrate a database, and yield its address: keys are used once in each."""
    if engine == "sqlite":
        yield sqlite_database(folder)
        return
    with migrated_database(postgresql) as storage:
        yield storage.service


def make_runner(
    exchange: Transport, flavour: str, storage: CountingStorage | None = None
) -> CorpusRunner:
    """Return the runner at the end of `exchange`, where the service is of that flavour."""
    settings = FLAVOURS[flavour]
    origins = settings.get("TASKSERVICE_CORS_ORIGINS", "").split(",")
    return CorpusRunner(
        exchange,
        trusts_proxy="TASKSERVICE_PROXIES" in settings,
        origins=[origin for origin in origins if origin],
        opened=None if storage is None else lambda: storage.times,
    )


def runner_in_process(open_workspace: OpenWorkspace, flavour: str) -> CorpusRunner:
    """Return a runner over the application in this process, which counts what reaches storage."""
    storage = CountingStorage(open_workspace)
    environ = {"DATABASE_URL": "sqlite:///unused.db", **SETTINGS, **FLAVOURS[flavour]}
    app = create_app(storage, Settings.from_environment(environ))
    return make_runner(in_process(app), flavour, storage)


@contextmanager
def corpus_service(folder: Path, address: str, flavour: str) -> Iterator[Service]:
    """Run gunicorn over the database at `address`."""
    with gunicorn(folder, DATABASE_URL=address, **SETTINGS, **FLAVOURS[flavour]) as service:
        yield service


def stop_and_read_log(service: Service) -> str:
    """Stop the service, and return all that it printed."""
    assert service.stop() == 0
    service.output.finish()
    return "".join(service.output)
