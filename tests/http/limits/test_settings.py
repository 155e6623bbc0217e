"""The settings of the limit."""

import sys

import pytest

from taskservice.config import ConfigError, Settings

GIVEN = {"DATABASE_URL": "sqlite:///x.db", "TASKSERVICE_JWT_SECRET": "0123456789" * 4}


def test_six_hundred_a_minute_unless_said() -> None:
    """Counted by each process for itself."""
    settings = Settings.from_environment(GIVEN)
    assert (settings.rate_limit, settings.rate_limit_storage) == ("600/minute", "memory://")


@pytest.mark.parametrize("value", ["off", "1/second", "100/hour"])
def test_the_limit_is_a_setting(value: str) -> None:
    """A rate, or none."""
    settings = Settings.from_environment({**GIVEN, "TASKSERVICE_RATE_LIMIT": value})
    assert settings.rate_limit == value


@pytest.mark.parametrize(
    "value", ["memory://", "redis://cache", "redis://:pw@cache:6379/3", "rediss://u:pw@cache:1/"]
)
def test_the_storage_is_a_setting(value: str) -> None:
    """Memory, or a Redis, which is not asked at the start."""
    settings = Settings.from_environment({**GIVEN, "TASKSERVICE_RATE_LIMIT_STORAGE": value})
    assert settings.rate_limit_storage == value


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("memory", "must be memory://, or begin with redis:// or rediss://"),
        ("memcached://cache", "must be memory://, or begin with redis:// or rediss://"),
        *(
            (f"redis://{rest}", "must be an address such as redis://host:6379/0")
            for rest in ("", "/0", "h:x", "h:99999", "h/zz", "[::1", "h?socket_timeout=x", "h?x=1")
        ),
    ],
)
def test_what_is_no_storage_is_refused(value: str, fault: str) -> None:
    """By its name, and not quoted: it may hold a password."""
    with pytest.raises(ConfigError) as error:
        Settings.from_environment({**GIVEN, "TASKSERVICE_RATE_LIMIT_STORAGE": value})
    assert str(error.value) == f"TASKSERVICE_RATE_LIMIT_STORAGE {fault}"


def test_a_missing_redis_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the start ends with what to install."""
    monkeypatch.delitem(sys.modules, "taskservice.adapters.ratelimit.redis_counters", False)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError) as error:
        Settings.from_environment({**GIVEN, "TASKSERVICE_RATE_LIMIT_STORAGE": "redis://cache"})
    assert str(error.value) == (
        "TASKSERVICE_RATE_LIMIT_STORAGE needs the package redis: install taskservice[redis]"
    )
