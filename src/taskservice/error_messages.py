"""Failures, as one message for a person: what is wrong, and what to do."""

from taskservice.config import ConfigError
from taskservice.core.errors import AccessDenied, TaskServiceError, UnusableDatabase
from taskservice.logs import named

DEBUG = "set TASKSERVICE_LOG_LEVEL=debug for the traceback"
ENTER = "look at user and password in DATABASE_URL, or run it as the tables' owner"
CHECK = "`taskservice check` looks at DATABASE_URL and says what to do"


def error_message(error: Exception) -> str:
    """Return what an exception of any class says to a person, without secrets and values."""
    match error:
        case UnusableDatabase():
            return f"{error}. {error.advice}"
        case ConfigError() | TaskServiceError():
            return f"{error}{_advice(error)}"
        case OSError(filename=str(name)):
            return f"{name}: {error.strerror}"
        case OSError(strerror=str(why)):
            return f"input or output failed: {why}"
    return f"unexpected {named(error)}; {DEBUG}"


def _advice(error: Exception) -> str:
    """Return what to do about what a database refuses; all else says it itself."""
    if not str(error).startswith("database error"):
        return ""
    return f"; {ENTER if isinstance(error, AccessDenied) else CHECK}"
