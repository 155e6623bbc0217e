"""The service on a disk that is full: `python -m tests.system.full_disk FOLDER WAY`.

In a process of its own, as the disk, or what the process may write, is used up. It prints what
was answered to reading, writing, writing under a key, and reading again.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import Engine
from tests.databases import service_engine, sqlite_database
from tests.http_callers import SETTINGS, ApiClient
from tests.secret_values import SECRET

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.cli.check import check
from taskservice.testing import ADA


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Write until there is no room."""
    rest = folder / "rest"
    try:
        with rest.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        yield
    rest.unlink()


@contextmanager
def used_up_quota(folder: Path) -> Iterator[None]:
    """Let this process write into no file any more."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


WAYS: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "disk": full_disk,
    "quota": used_up_quota,
}


def statuses(engine: Engine) -> list[int]:
    """Return what the service answers that has `engine`."""
    ada = ApiClient(create_app(SqlStorage(engine).open_workspace, SETTINGS).test_client(), ADA)
    body = {"title": "Buy milk", "description": "x" * 9000}
    answers = [
        ada("GET"),
        ada("POST", json=body),
        ada("POST", json=body, headers={"Idempotency-Key": '"a"'}),
        ada("GET"),
    ]
    return [answer.status_code for answer in answers]


def main(folder: Path, way: str) -> None:
    """Ask a service that was started before, and one that is started when there is no room."""
    address = sqlite_database(folder)
    settings = {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET}
    engine = service_engine(address)
    with WAYS[way](folder):
        logged: dict[str, object] = {"started before": statuses(engine)}
    engine.dispose()
    with WAYS[way](folder):
        logged["check"] = CliRunner().invoke(check, env=settings).output
        logged["started then"] = statuses(later := service_engine(address))
    logged["afterwards"] = statuses(later)
    later.dispose()
    print(json.dumps(logged))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
