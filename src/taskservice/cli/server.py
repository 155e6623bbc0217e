"""`taskservice serve`: the recommended gunicorn, in this process, announced to a person."""

from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from taskservice import gunicorn_conf
from taskservice.app import production_app
from taskservice.config import Settings

Announce = Callable[[str], None]


class Server(BaseApplication):
    """gunicorn over the application of `settings`; `announce` hears the bound address."""

    def __init__(self, settings: Settings, host: str, port: int, announce: Announce) -> None:
        self._settings = settings
        self._bind = f"{host}:{port}"
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
        def when_ready(arbiter: Arbiter) -> None:
            host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
            self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")

        return {
            "bind": self._bind,
            "loglevel": "warning",
            "when_ready": when_ready,
            "on_starting": lambda _: None,
        }
