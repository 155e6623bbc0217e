"""The application for tests: over any storage adapter, with a secret and tokens."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from taskservice.adapters.jwt import issue
from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app
from taskservice.config import NO_LIMIT, Settings
from taskservice.core.workspace import OpenWorkspace

SECRET = secrets.token_urlsafe()
"""The secret that signs the tokens; each process has its own."""

TOKEN_LIFETIME = timedelta(hours=1)
"""How long a token of `token_of` is valid."""


def ready_application(open_workspace: OpenWorkspace | None = None, **settings: Any) -> Flask:
    """Return the application over `open_workspace`, or over an empty in-memory adapter.

    It accepts the tokens of `token_of`, and has no rate limit. `settings` are
    fields of `Settings`, such as `require_if_match=True`.
    """
    given = {"database_url": "", "jwt_secret": SECRET, "rate_limit": NO_LIMIT, **settings}
    return create_app(open_workspace or InMemoryStorage().open_workspace, Settings(**given))


def token_of(user: str, *, secret: str = SECRET, issued: datetime | None = None) -> str:
    """Return a token of `user` that is valid for an hour from `issued`, by default from now."""
    return issue(secret, user, lifetime=TOKEN_LIFETIME, now=issued or datetime.now(UTC))
