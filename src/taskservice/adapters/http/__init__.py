"""The API over HTTP: who is calling, what they ask, and what they hear."""

from taskservice.adapters.http.application import http_application

__all__ = ["http_application"]
