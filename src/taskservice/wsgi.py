"""The application for any WSGI server, configured by the environment: `taskservice.wsgi:app`."""

import logging
import os

from taskservice.app import production_app
from taskservice.config import Settings
from taskservice.logs import configure

# gunicorn's logger has done it already; a server that logs in a form of its own keeps it.
if not logging.getLogger().handlers:
    configure(os.environ)

app = production_app(Settings.from_environment(os.environ))
