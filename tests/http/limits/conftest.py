"""Applications that limit, by a clock that stands still until it is moved."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from tests.http.limits.callers import QUOTA
from tests.http_callers import SETTINGS

from taskservice.app import create_app
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import TickingClock


@pytest.fixture
def clock() -> TickingClock:
    clock = TickingClock()
    clock.step = timedelta()
    return clock


@pytest.fixture
def make_app(open_workspace: OpenWorkspace, clock: TickingClock) -> Callable[..., Flask]:
    def make(**settings: Any) -> Flask:
        return create_app(open_workspace, replace(SETTINGS, **settings), clock=clock)

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An application that takes five requests a minute, and refuses fifty tokens."""
    return make_app(rate_limit=f"{QUOTA}/minute")
