"""Configuration: the settings, read from the environment."""

from taskservice.config.parsers import NO_LIMIT
from taskservice.config.settings import (
    DEFAULT_DATABASE,
    ConfigError,
    Settings,
    log_settings,
    pool_size,
    read_database_url,
    read_retention,
    worker_count,
)

__all__ = [
    "DEFAULT_DATABASE",
    "NO_LIMIT",
    "ConfigError",
    "Settings",
    "log_settings",
    "pool_size",
    "read_database_url",
    "read_retention",
    "worker_count",
]
