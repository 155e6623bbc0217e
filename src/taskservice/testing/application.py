"""The whole application, ready for a test: a home for tasks, a secret, and tokens."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from taskservice.adapters.jwt import issue
from taskservice.adapters.memory import InMemoryTasks
from taskservice.app import create_app
from taskservice.config import NO_LIMIT, Settings
from taskservice.core.service import OpenTasks

SECRET = secrets.token_urlsafe()
"""What tokens are signed with: another in each process, so that it can open nothing for long."""

HOUR = timedelta(hours=1)
"""How long a token of `token_of` is good for."""


def ready_application(open_tasks: OpenTasks | None = None, **settings: Any) -> Flask:
    """Return the application over `open_tasks`, or over an empty home in memory.

    It takes the tokens of `token_of`, and limits no rate. `settings` are
    fields of `Settings`, such as `require_if_match=True`.
    """
    given = {"database_url": "", "jwt_secret": SECRET, "rate_limit": NO_LIMIT, **settings}
    return create_app(open_tasks or InMemoryTasks().open_tasks, Settings(**given))


def token_of(user: str, *, secret: str = SECRET, issued: datetime | None = None) -> str:
    """Return a token of `user` that is good for an hour from `issued` on, or from now."""
    return issue(secret, user, lifetime=HOUR, now=issued or datetime.now(UTC))
