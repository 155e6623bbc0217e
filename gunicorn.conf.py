"""The recommended gunicorn settings; `taskservice.gunicorn_conf` has each with its reason."""

from taskservice.gunicorn_conf import *  # noqa: F403
