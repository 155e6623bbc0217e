"""The service as a process: on a free port, ended by a signal, dead with the tests."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryFile
from threading import Condition, Thread
from typing import IO, Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from tests import fork_server
from tests.canaries import WATCH, look_at_answer
from tests.fork_server import Forked
from tests.granian_server import await_listener, granian_command
from tests.parent_death_signal import die_with_parent
from tests.postgres import program

ROOT = Path(__file__).parents[1]
SECONDS = 30
COMMAND = [sys.executable, "-m", "taskservice"]
WORKERS = 2
ON_GRANIAN = os.environ.get("TASKSERVICE_TEST_SERVER") == "granian"
WORKER_READY = "Started worker" if ON_GRANIAN else "Worker ready"

Process: TypeAlias = "subprocess.Popen[bytes] | Forked"


def gunicorn_command(application: str = "wsgi:app", port: int = 0) -> list[str]:
    """Return how the service is started as it is deployed; port 0 is a free one."""
    return [
        *(sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")),
        *("--bind", f"127.0.0.1:{port}", "--pythonpath", str(ROOT), application),
    ]


START = gunicorn_command()

_is_welcome = re.compile(r"  TOKEN=|    -H 'Content-Type: application/json' -d ").match
_address_in = re.compile(r"http://(127\.0\.0\.1|\[::1\]):\d+").search


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Output:
    """What a process prints, taken in by a thread, so that the process never waits for a reader.

    To go through it is to get each line from the first, and to wait for more until the end.
    """

    def __init__(self, stream: IO[bytes], command: Sequence[str]) -> None:
        self._lines: list[str] = []
        self._is_whole = False
        self._changed = Condition()
        self._command = command
        self._reader = Thread(target=self._take_in, args=(stream,), daemon=True)
        self._reader.start()

    def __iter__(self) -> Iterator[str]:
        for number in itertools.count():
            with self._changed:
                while not self._is_whole and number == len(self._lines):
                    self._changed.wait()
                if number == len(self._lines):
                    return
            yield self._lines[number]

    def finish(self) -> None:
        """Wait until nobody can print any more."""
        self._reader.join(SECONDS)
        assert not self._reader.is_alive(), "a process of the service lives on"

    def _take_in(self, stream: IO[bytes]) -> None:
        for raw in stream:
            line = raw.decode(errors="backslashreplace")
            look_at_output(self._command, line)
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._is_whole = True
            self._changed.notify_all()


def look_at_output(command: Sequence[str], line: str) -> None:
    """Look for canaries; what `token` and `serve` print to be pasted is meant to be seen."""
    if "token" in command or ("serve" in command and _is_welcome(line)):
        return
    WATCH.look(f"the output of {' '.join(command)}", line)


class Service(NamedTuple):
    """A service that runs: where it answers, and its process."""

    address: str
    process: Process
    output: Output

    def __call__(
        self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=SECONDS)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = body
        if isinstance(body, dict):
            data = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read())
            if answer.status >= 400:
                look_at_answer(WATCH, f"{method} {path}", *answer)
            return answer
        finally:
            connection.close()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End the service and return its exit status."""
        self.process.send_signal(by)
        return self.process.wait(SECONDS)


def environment(**settings: str) -> dict[str, str]:
    """Return this environment without the service's settings but for those given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TASKSERVICE_", "DATABASE_URL", "GUNICORN_"))
    }
    return {**kept, **settings, "PYTHONUNBUFFERED": "1"}


def run(
    command: Sequence[str], folder: Path, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    given = environment(**settings)
    if fork_server.can_fork(command, given):
        result = _run_forked(command, folder, given)
    else:
        result = subprocess.run(
            command,
            cwd=folder,
            env=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    for line in (result.stdout + result.stderr).splitlines():
        look_at_output(command, line)
    return result


def write_program(folder: Path, code: str) -> list[str]:
    """Write a program of a test into a folder, and return the command that runs it there."""
    (folder / "written.py").write_text(code)
    return [sys.executable, "-m", "written"]


def _run_forked(
    command: Sequence[str], folder: Path, given: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        process = fork_server.start(command, folder, given, stdout.fileno(), stderr.fileno())
        try:
            status = process.wait(SECONDS)
        finally:
            process.kill()
        texts = [(file.seek(0), file.read())[1] for file in (stdout, stderr)]
    return subprocess.CompletedProcess(command, status, *texts)


def client(folder: Path, name: str, *arguments: str) -> None:
    """Run a client program of PostgreSQL, which has nothing to say."""
    result = run([str(program(name)), *arguments], folder)
    assert (result.returncode, result.stderr) == (0, "")


@contextmanager
def running(command: Sequence[str], folder: Path, **settings: str) -> Iterator[Service]:
    """Run a service until the block ends; it has told its address before the block begins."""
    with _started(command, folder, environment(**settings)) as process:
        assert process.stdout is not None
        output = Output(process.stdout, command)
        try:
            yield Service(_address(process, output), process, output)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(SECONDS)
            output.finish()


def _started(command: Sequence[str], folder: Path, given: Mapping[str, str]) -> Process:
    if fork_server.can_fork(command, given):
        return fork_server.start(command, folder, given)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent,
    )


@contextmanager
def gunicorn(folder: Path, *, command: Sequence[str] = START, **settings: str) -> Iterator[Service]:
    """Run `wsgi:app` as it is deployed; every worker is ready before the block begins.

    Nobody is told to wait (429), unless `settings` say so. `TASKSERVICE_TEST_SERVER=granian` runs
    it on granian instead, which shows what differs there (docs/operations.md).
    """
    workers = int(settings.get("WEB_CONCURRENCY", WORKERS))
    if ON_GRANIAN:
        command = granian_command(workers, settings)
    with running(command, folder, **{"TASKSERVICE_RATE_LIMIT": "off", **settings}) as service:
        ready = (line for line in service.output if WORKER_READY in line)
        assert len(list(itertools.islice(ready, workers))) == workers
        if ON_GRANIAN:
            await_listener(service.address, SECONDS)
        yield service


def _address(process: Process, output: Output) -> str:
    for line in output:
        if match := _address_in(line):
            return match[0]
    raise AssertionError(f"ended with {process.wait()}:\n{''.join(output)}")
