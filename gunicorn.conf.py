"""The recommended gunicorn settings; `taskservice.server.gunicorn_conf` explains each."""

from taskservice.server.gunicorn_conf import *  # noqa: F403
