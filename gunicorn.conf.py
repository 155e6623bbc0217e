"""The recommended gunicorn settings; `taskservice.server.gunicorn_conf` has each with its reason."""

from taskservice.server.gunicorn_conf import *  # noqa: F403
