"""`taskservice serve`: the recommended gunicorn, in this process, announced to a person."""

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
from taskservice.listening import local_authority
from taskservice.server import gunicorn_conf

Announce = Callable[[str], None]


class Server(BaseApplication):
    """gunicorn over the application of `settings`, at a socket that listens already.

    `announce` is called with the URL at which it answers.
    """

    def __init__(self, settings: Settings, listener: socket.socket, announce: Announce) -> None:
        self._settings = settings
        self._url = f"http://{local_authority(listener)}"
        self._bind = f"fd://{listener.detach()}"
        self._announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Take the recommended settings, and what the command line said."""
        known = {
            name: value for name, value in vars(gunicorn_conf).items() if name in self.cfg.settings
        }
        for name, value in {**known, **self._own()}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application: in each worker, so that no connection crosses a fork."""
        return production_app(self._settings)

    def _own(self) -> dict[str, Any]:
        return {
            "bind": self._bind,
            "workers": self._settings.web_concurrency or 1,
            "loglevel": Reader(os.environ).value("TASKSERVICE_LOG_LEVEL") or "warning",
            "on_starting": _nothing_to_check,
            "post_worker_init": self._tell,
        }

    def _tell(self, worker: Worker) -> None:
        """Announce the address when the first worker answers."""
        if worker.age == 1:
            # Whoever closed our output is not served the worse for it.
            with suppress(OSError):
                self._announce(self._url)


def _nothing_to_check(_: Arbiter) -> None:
    """Do nothing: the command has checked the settings, and brought the database up to date."""
