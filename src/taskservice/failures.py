"""Failures, as one message for a person: what is wrong, and what to do."""

from taskservice.config import ConfigError
from taskservice.core.errors import TaskServiceError, Unavailable, Unfit
from taskservice.logs import named

DEBUG = "set TASKSERVICE_LOG_LEVEL=debug for the traceback"
CHECK = "`taskservice check` looks at DATABASE_URL and says what to do"


def described(error: Exception) -> str:
    """Return what an exception of any class says to a person, without secrets and values."""
    match error:
        case Unfit():
            return f"{error}. {error.advice}"
        case Unavailable() if str(error).startswith("the database refuses"):
            return f"{error}; {CHECK}"
        case ConfigError() | TaskServiceError():
            return str(error)
        case OSError(filename=str(name)):
            return f"{name}: {error.strerror}"
        case OSError(strerror=str(why)):
            return f"output cannot be written: {why}"
    return f"unexpected {named(error)}; {DEBUG}"
