"""Bad configuration: one clear message, exit status 2, and no worker that boots in a loop."""

from pathlib import Path

import pytest
from tests.databases import sqlite_database
from tests.postgres import Databases
from tests.processes import COMMAND, START, gunicorn, run, write_program
from tests.secret_values import DATABASE_PASSWORD, SECRET

from taskservice.adapters.sql.checks.readiness import NO_FILE_ADVICE

SQLITE = "sqlite:///tasks.db"
KEYS = "https://issuer.example/keys"

BAD = {
    "nothing": (
        {},
        "DATABASE_URL must be set; TASKSERVICE_JWT_SECRET or TASKSERVICE_JWKS_URL must be set",
    ),
    "no secret": (
        {"DATABASE_URL": SQLITE},
        "TASKSERVICE_JWT_SECRET or TASKSERVICE_JWKS_URL must be set",
    ),
    "a short secret": (
        {"DATABASE_URL": SQLITE, "TASKSERVICE_JWT_SECRET": "too short"},
        "TASKSERVICE_JWT_SECRET must be at least 32 bytes",
    ),
    "a placeholder": (
        {"DATABASE_URL": SQLITE, "TASKSERVICE_JWT_SECRET": "change-me-" * 4},
        "TASKSERVICE_JWT_SECRET must be a random secret, not a placeholder",
    ),
    "one character": (
        {"DATABASE_URL": SQLITE, "TASKSERVICE_JWT_SECRET": "x" * 64},
        "TASKSERVICE_JWT_SECRET must be a random secret, not a placeholder",
    ),
    "both families": (
        {"DATABASE_URL": SQLITE, "TASKSERVICE_JWT_SECRET": SECRET, "TASKSERVICE_JWKS_URL": KEYS},
        "TASKSERVICE_JWT_SECRET or TASKSERVICE_JWKS_URL must be set, not both",
    ),
    "an unknown scheme": (
        {"DATABASE_URL": "mysql://db/tasks", "TASKSERVICE_JWT_SECRET": SECRET},
        "DATABASE_URL must begin with sqlite:///, postgresql:// or postgres://",
    ),
    "a database that would vanish": (
        {"DATABASE_URL": "sqlite:///:memory:", "TASKSERVICE_JWT_SECRET": SECRET},
        "DATABASE_URL must name a file, as in sqlite:///taskservice.db",
    ),
    "a path out of reach": (
        {"DATABASE_URL": "sqlite:///no/such/folder/x.db", "TASKSERVICE_JWT_SECRET": SECRET},
        f"DATABASE_URL cannot be used: there is no file no/such/folder/x.db. {NO_FILE_ADVICE}",
    ),
    "a file that is not there": (
        {"DATABASE_URL": SQLITE, "TASKSERVICE_JWT_SECRET": SECRET},
        f"DATABASE_URL cannot be used: there is no file tasks.db. {NO_FILE_ADVICE}",
    ),
    **{
        f"metrics at {place}": (
            {
                "DATABASE_URL": SQLITE,
                "TASKSERVICE_JWT_SECRET": SECRET,
                "TASKSERVICE_METRICS_ADDRESS": place,
            },
            "TASKSERVICE_METRICS_ADDRESS must be a host and a port, such as 127.0.0.1:9100",
        )
        for place in ("9100", ":9100", "127.0.0.1", "127.0.0.1:65536", "http://127.0.0.1:9100")
    },
    "a log that is kept for less time than the trash": (
        {
            "DATABASE_URL": SQLITE,
            "TASKSERVICE_JWT_SECRET": SECRET,
            "TASKSERVICE_TRASH_DAYS": "31",
        },
        "TASKSERVICE_CHANGES_DAYS must be at least TASKSERVICE_TRASH_DAYS, 31",
    ),
    **{
        f"{days} days in the trash": (
            {
                "DATABASE_URL": SQLITE,
                "TASKSERVICE_JWT_SECRET": SECRET,
                "TASKSERVICE_TRASH_DAYS": days,
            },
            "TASKSERVICE_TRASH_DAYS must be a number of days from 1 to 3650",
        )
        for days in ("0", "3651", "-1", "1.5", "1d", "\u0663")
    },
    "every fault at once": (
        {
            "DATABASE_URL": "tasks.db",
            "TASKSERVICE_JWKS_URL": "ftp://issuer.example",
            "TASKSERVICE_JWKS_REFRESH": "3600",
            "TASKSERVICE_RATE_LIMIT": "lots",
            "TASKSERVICE_RATE_LIMIT_STORAGE": "redis://",
            "TASKSERVICE_PREPARED_STATEMENTS": "yes",
            "TASKSERVICE_POOL_SIZE": "0",
            "TASKSERVICE_POOL_TIMEOUT": "soon",
            "TASKSERVICE_TRASH_DAYS": "0",
            "TASKSERVICE_CHANGES_DAYS": "7",
            "TASKSERVICE_LOG_LEVEL": "loud",
            "TASKSERVICE_LOG_FORMAT": "xml",
            "WEB_CONCURRENCY": "0",
        },
        "DATABASE_URL must begin with sqlite:///, postgresql:// or postgres://; "
        "TASKSERVICE_JWKS_URL must be a URL that begins with https:// or http://; "
        "TASKSERVICE_JWKS_REFRESH must be at most 300 seconds; "
        "TASKSERVICE_RATE_LIMIT must be off, or a number per unit, such as 600/minute; "
        "TASKSERVICE_RATE_LIMIT_STORAGE must be an address such as redis://host:6379/0; "
        "TASKSERVICE_PREPARED_STATEMENTS must be true or false; "
        "TASKSERVICE_POOL_SIZE must be a whole number from 1 to 9999; "
        "TASKSERVICE_POOL_TIMEOUT must be a number of seconds over 0; "
        "TASKSERVICE_TRASH_DAYS must be a number of days from 1 to 3650; "
        "TASKSERVICE_CHANGES_DAYS must be a number of days from 8 to 3650; "
        "TASKSERVICE_LOG_LEVEL must be debug, info, warning or error; "
        "TASKSERVICE_LOG_FORMAT must be json or console; "
        "WEB_CONCURRENCY must be a number of workers from 1 to 999",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_gunicorn_does_not_start(tmp_path: Path, case: str) -> None:
    """Under gunicorn the message is one line, the status 2, and no worker was started."""
    settings, message = BAD[case]
    result = run(START, tmp_path, **settings)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == f"taskservice: {message}"
    assert "Traceback" not in result.stderr
    assert "Booting worker" not in result.stderr
    assert not settings or "too short" not in result.stderr


@pytest.mark.parametrize("case", ["nothing", "every fault at once", "a file that is not there"])
def test_wsgi_raises_elsewhere(tmp_path: Path, case: str) -> None:
    """Under any other server, importing the application raises `ConfigError` with the message."""
    settings, message = BAD[case]
    result = run(write_program(tmp_path, "import taskservice.wsgi"), tmp_path, **settings)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"taskservice.config.settings.ConfigError: {message}"


@pytest.mark.parametrize("count", ["x", "-1", "2.5", "1000"])
def test_serve_refuses_a_number_of_workers(tmp_path: Path, count: str) -> None:
    """What is no number of workers is refused before gunicorn reads it, and breaks."""
    result = run([*COMMAND, "serve", "--port", "0"], tmp_path, WEB_CONCURRENCY=count)
    assert result.returncode == 2
    assert result.stderr == "Error: WEB_CONCURRENCY must be a number of workers from 1 to 999\n"


def test_the_application_is_not_loaded_before_the_fork(tmp_path: Path) -> None:
    """gunicorn's `--preload` is refused: workers would share what the application has opened."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    result = run([*START, "--preload"], tmp_path, **settings)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        "taskservice: gunicorn's preload_app must be off: workers would share connections"
    )


def test_an_unknown_setting_is_a_warning(tmp_path: Path) -> None:
    """A variable of ours that no setting has is told of, by its name and not its value."""
    result = run(
        [*COMMAND, "token", "ada"],
        tmp_path,
        TASKSERVICE_JWT_SECRET=SECRET,
        TASKSERVICE_JWT_SECRETT="hush",
    )
    assert result.returncode == 0
    assert "unknown setting  setting=TASKSERVICE_JWT_SECRETT\n" in result.stderr
    assert "hush" not in result.stderr


def test_a_server_out_of_reach_is_waited_for(tmp_path: Path, postgresql: Databases) -> None:
    """A database that is down at start: alive, not ready, 503 with `Retry-After`, no restart."""
    settings = {
        "DATABASE_URL": f"postgresql://nobody:{DATABASE_PASSWORD}@127.0.0.1:1/tasks",
        "TASKSERVICE_JWT_SECRET": SECRET,
    }
    token = run([*COMMAND, "token", "ada"], tmp_path, **settings).stdout.strip()
    with gunicorn(tmp_path, **settings) as service:
        assert service("GET", "/livez").status == 200
        ready = service("GET", "/readyz")
        assert (ready.status, ready.json["checks"]["database"]) == (503, "unavailable")
        answer = service("POST", "/api/tasks/ada/tasks", token, {"title": "Buy milk"})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json["outcome"] == "not_applied"
        assert service.stop() == 0
        log = "".join(service.output)
    failed = '"event": "readiness check failed", "check": "database"'
    assert f'{failed}, "reason": "database error: ' in log
    for leak in ("Traceback", "port 1", "127.0.0.1:1/", "nobody"):
        assert leak not in log
