"""gunicorn on one port, which can be killed and is then started again."""

import itertools
import os
import re
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.postgres import reserved_port
from tests.processes import SECONDS, WORKERS, Service, gunicorn, gunicorn_command

_ready_in = re.compile(r"Worker ready \(pid: (\d+)\)").search


class Server:
    """The service as it is deployed, with two workers. Only the thread that made it may use it."""

    def __init__(self, folder: Path, port: int, application: str, settings: dict[str, str]) -> None:
        self._folder = folder
        self._command = gunicorn_command(application, port)
        self._settings = settings
        self._resources = ExitStack()
        self.place = ("127.0.0.1", port)

    def start(self) -> None:
        """Start, and return when each worker is ready."""
        self.service: Service = self._resources.enter_context(
            gunicorn(self._folder, command=self._command, **self._settings)
        )
        self._lines = (found for line in self.service.output if (found := _ready_in(line)))
        self._workers = self._await_workers(WORKERS)

    def stop(self) -> None:
        """End in good order."""
        self._resources.close()

    def kill(self) -> None:
        """Kill the master, and return when its workers have noticed and are gone."""
        self.service.process.kill()
        self.stop()

    def kill_worker(self) -> None:
        """Kill a worker, and return when another has taken its place."""
        os.kill(self._workers.pop(0), signal.SIGKILL)
        self._workers += self._await_workers(1)

    def reload(self) -> None:
        """Have all workers replaced, in good order, and return when the old ones are gone."""
        old = [os.pidfd_open(worker) for worker in self._workers]
        self.service.process.send_signal(signal.SIGHUP)
        self._workers = self._await_workers(WORKERS)
        for worker in old:
            assert select.select([worker], [], [], SECONDS)[0], "an old worker lives on"
            os.close(worker)

    def _await_workers(self, count: int) -> list[int]:
        """Return the process ids of the next workers that are ready."""
        ready = [int(found[1]) for found in itertools.islice(self._lines, count)]
        assert len(ready) == count, "the service has ended"
        return ready


@contextmanager
def serving(
    folder: Path, settings: dict[str, str], application: str = "wsgi:app"
) -> Iterator[Server]:
    """Yield the service, started, on a port that it keeps."""
    with reserved_port() as port:
        server = Server(folder, port, application, settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
