"""The application for any WSGI server, configured by the environment: `taskservice.wsgi:app`."""

import os
from logging.config import dictConfig

from taskservice.app import production_app
from taskservice.config import Settings, log_settings

dictConfig(log_settings(os.environ))

app = production_app(Settings.from_environment(os.environ))
