"""Docstring check: command help and the OpenAPI document are generated from docstrings."""

from taskservice.config import ConfigError


def require_docstrings() -> None:
    """Raise `ConfigError` if Python has removed docstrings (`-OO`)."""
    if require_docstrings.__doc__ is None:
        raise ConfigError(
            "PYTHONOPTIMIZE must not be 2 (python -OO): it removes the docstrings "
            "that help and the OpenAPI document are generated from"
        )
