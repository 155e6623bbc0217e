"""WSGI entry point: `taskservice.wsgi:app`, configured by environment variables."""

import logging
import os

from taskservice.app import production_app
from taskservice.config import Settings
from taskservice.logs import configure

# gunicorn's logger has configured logging already; keep another server's configuration.
if not logging.getLogger().handlers:
    configure(os.environ)

app = production_app(Settings.from_environment(os.environ))
