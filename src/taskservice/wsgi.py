"""The application for any WSGI server, configured by the environment: `taskservice.wsgi:app`."""

import os

from taskservice.app import production_app
from taskservice.config import Settings

app = production_app(Settings.from_environment(os.environ))
