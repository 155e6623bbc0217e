"""Error messages for operators: the cause, then the advice."""

from taskservice.config import ConfigError
from taskservice.core.errors import AccessDenied, TaskServiceError, UnusableDatabase
from taskservice.logs import exception_summary

DEBUG_ADVICE = "set TASKSERVICE_LOG_LEVEL=debug for the traceback"
ACCESS_ADVICE = "check user and password in DATABASE_URL, or run it as the tables' owner"
CHECK_ADVICE = "run `taskservice check` for advice on DATABASE_URL"


def error_message(error: Exception) -> str:
    """Return the message of an exception of any class, without secrets and values."""
    match error:
        case UnusableDatabase():
            return f"{error}. {error.advice}"
        case ConfigError() | TaskServiceError():
            return f"{error}{_advice(error)}"
        case OSError(filename=str(name)):
            return f"{name}: {error.strerror}"
        case OSError(strerror=str(reason)):
            return f"input or output failed: {reason}"
    return f"unexpected {exception_summary(error)}; {DEBUG_ADVICE}"


def _advice(error: Exception) -> str:
    """Return advice on an error of the database; other messages contain their own."""
    if not str(error).startswith("database error"):
        return ""
    return f"; {ACCESS_ADVICE if isinstance(error, AccessDenied) else CHECK_ADVICE}"
