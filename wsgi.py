"""The application for any WSGI server, configured by the environment: `gunicorn wsgi:app`."""

from taskservice.wsgi import app

__all__ = ["app"]
