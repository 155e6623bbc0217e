"""Docstrings: the help of commands and the OpenAPI document are made of them."""

from taskservice.config import ConfigError


def require_docstrings() -> None:
    """Raise `ConfigError` where Python has removed them (`-OO`)."""
    if require_docstrings.__doc__ is None:
        raise ConfigError(
            "PYTHONOPTIMIZE must not be 2 (python -OO): it removes docstrings, "
            "of which help and OpenAPI document are made"
        )
