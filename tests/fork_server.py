"""Python programs that start at once: each is forked from a process that has the libraries.

An interpreter takes seconds to start a command of the service, nearly all of them to import
third-party libraries. One process imports those, once for all tests, and is forked for each
program. What is of this project each program imports itself, as it reads the environment.
"""

import atexit
import gc
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from runpy import run_module
from threading import Lock
from typing import Self

from tests.parent_death_signal import die_with_parent

ROOT = Path(__file__).parents[1]
LIBRARIES = [
    *("alembic.command", "alembic.ddl.postgresql", "alembic.ddl.sqlite", "click"),
    *("cryptography.hazmat.primitives.asymmetric.rsa", "flask", "flask_cors", "flask_smorest"),
    *("flask_swagger_ui", "jwt", "marshmallow", "orjson", "psycopg", "structlog"),
    *("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
    *("webargs.flaskparser", "werkzeug.middleware.proxy_fix", "werkzeug.serving"),
    *("importlib.metadata", "ssl", "wsgiref.simple_server"),
]
"""Not gunicorn, which notes the folder in which it is imported."""

INTERPRETER_VARIABLES = ("PYTHON", "LC_", "LANG", "LD_", "OPENSSL_", "PSYCOPG_")
"""Prefixes of the environment variables that are read when an interpreter starts."""

INT_SIZE = 4
MAX_REQUEST_SIZE = 1 << 20


class Forked:
    """A forked program, with the interface of `subprocess.Popen`."""

    def __init__(
        self, pid: int, status: int, command: Sequence[str], stdout: int | None = None
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = None if stdout is None else os.fdopen(stdout, "rb")
        self._status = status
        self._command = command

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once it has ended."""
        status = self._within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended, which `poll` learns a little later."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.stdout:
            self.stdout.close()
        self.wait()

    def _within(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
            received = os.read(self._status, INT_SIZE)
            os.close(self._status)
            assert received, "the process that is forked has ended"
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(received))
        return self.returncode


def can_fork(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Return whether a command runs a module, with the same interpreter variables."""
    is_module = [*command[:2]] == [sys.executable, "-m"]
    return is_module and _interpreter_variables(environment) == _interpreter_variables(
        _environment()
    )


def start(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    stdout: int | None = None,
    stderr: int | None = None,
) -> Forked:
    """Start a command that `can_fork`; its output goes to files, or both streams to a pipe."""
    readable, pipe = os.pipe() if stdout is None else (None, None)
    status, status_pipe = os.pipe()
    request = json.dumps([command[2:], str(folder), dict(environment)]).encode()
    files = [stdout or pipe, stderr or stdout or pipe, status_pipe]
    with _request_lock:
        socket.send_fds(_server(), [request], [file for file in files if file is not None])
    os.close(status_pipe)
    if pipe is not None:
        os.close(pipe)
    pid = int.from_bytes(os.read(status, INT_SIZE))
    return Forked(pid, status, command, readable)


_request_lock = Lock()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def _interpreter_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items() if name.startswith(INTERPRETER_VARIABLES)
    }


@cache
def _server() -> socket.socket:
    """Start the fork server, which ends with this process.

    Its output is a pipe, so that children do not take a pipe of theirs for seekable.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        ours.close()
        process.communicate()

    atexit.register(end)
    return ours


class Forker:
    """Forks for each request, and reports the exit status of each child."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def serve(self) -> list[str]:
        """Fork for each request. Returns in a child, with the command it is to run."""
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._send_exit_status(key.fd, *key.data)
                    continue
                request, files, *_ = socket.recv_fds(self._control, MAX_REQUEST_SIZE, 3)
                if not request:
                    sys.exit()
                if command := self._fork(request, files):
                    return command

    def _fork(self, request: bytes, files: list[int]) -> list[str] | None:
        status_pipe = files[-1]
        if pid := os.fork():
            for file in files[:-1]:
                os.close(file)
            os.write(status_pipe, pid.to_bytes(INT_SIZE))
            self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, status_pipe))
            return None
        self._selector.close()
        self._control.close()
        return run_as(request, files)

    def _send_exit_status(self, descriptor: int, pid: int, status_pipe: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        os.write(status_pipe, status.to_bytes(INT_SIZE))
        os.close(status_pipe)


def run_as(request: bytes, files: list[int]) -> list[str]:
    """Take on the files, folder and environment of the request; return its command."""
    command, folder, environment = json.loads(request)
    for number, file in enumerate(files[:-1], start=1):
        os.dup2(file, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    die_with_parent()
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.path[0] = folder
    return list(command)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()
    sys.argv = Forker(socket.socket(fileno=int(sys.argv[1]))).serve()
    run_module(sys.argv[0], run_name="__main__", alter_sys=True)
