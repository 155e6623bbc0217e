"""Development server: gunicorn with the recommended settings, in this process."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from taskservice.app import production_app
from taskservice.config import Settings
from taskservice.config.reader import Reader
from taskservice.listening_socket import local_authority
from taskservice.server import gunicorn_conf

Announce = Callable[[str], None]


class Server(BaseApplication):
    """gunicorn with the application of `settings`, on a listening socket.

    `announce` is called with the server's URL when the first worker is ready.
    """

    def __init__(self, settings: Settings, listener: socket.socket, announce: Announce) -> None:
        self._settings = settings
        self._url = f"http://{local_authority(listener)}"
        self._bind = f"fd://{listener.detach()}"
        self._announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Apply the recommended settings, then those of the command."""
        recommended = {
            name: value for name, value in vars(gunicorn_conf).items() if name in self.cfg.settings
        }
        for name, value in {**recommended, **self._overrides()}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application; each worker loads its own, so that no connection is forked."""
        return production_app(self._settings)

    def _overrides(self) -> dict[str, Any]:
        return {
            "bind": self._bind,
            "workers": self._settings.web_concurrency or 1,
            "loglevel": Reader(os.environ).value("TASKSERVICE_LOG_LEVEL") or "warning",
            "on_starting": _skip_checks,
            "post_worker_init": self._announce_url,
        }

    def _announce_url(self, worker: Worker) -> None:
        """Announce the URL when the first worker is ready."""
        if worker.age == 1:
            # A closed standard output must not stop the worker.
            with suppress(OSError):
                self._announce(self._url)


def _skip_checks(_: Arbiter) -> None:
    """Do nothing: the command has checked the settings and migrated the database."""
