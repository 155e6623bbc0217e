"""The service as a process: on a free port, ended by a signal, dead with the tests."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.canaries import require_none, require_none_in_log
from tests.parent_death import dying_with_the_tests

ROOT = Path(__file__).parents[1]
SECONDS = 30
COMMAND = [sys.executable, "-m", "taskservice"]
START = [
    *(sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")),
    *("--bind", "127.0.0.1:0", "--pythonpath", str(ROOT), "wsgi:app"),
]
WORKERS = 2

_address_in = re.compile(r"http://127\.0\.0\.1:\d+").search


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service(NamedTuple):
    """A service that runs: where it answers, and its process."""

    address: str
    process: "subprocess.Popen[str]"
    output: list[str]

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
        finally:
            connection.close()
        if answer.status >= 400:
            require_none(f"an answer of {answer.status}", answer.body.decode())
        return answer

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
    """Run a command to its end; what it says of errors tells nothing that it should not."""
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    require_none_in_log(result.stderr)
    return result


@contextmanager
def running(command: Sequence[str], folder: Path, **settings: str) -> Iterator[Service]:
    """Run a service until the block ends; it has told its address before the block begins."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dying_with_the_tests,
    ) as process:
        try:
            output: list[str] = []
            yield Service(_address(process, output), process, output)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(SECONDS)
            _look_through(process, output)


@contextmanager
def gunicorn(folder: Path, **settings: str) -> Iterator[Service]:
    """Run `wsgi:app` as it is deployed; every worker is ready before the block begins."""
    with running(START, folder, **settings) as service:
        assert service.process.stdout is not None
        for line in service.process.stdout:
            service.output.append(line)
            if sum("Worker ready" in line for line in service.output) == WORKERS:
                break
        yield service


def _look_through(process: "subprocess.Popen[str]", output: list[str]) -> None:
    """Assert that nothing leaked into what the process printed, read by the test or not."""
    assert process.stdout is not None
    with suppress(ValueError):  # Whoever has read to the end may have closed it.
        output = [*output, *process.stdout]
    require_none_in_log("".join(output))


def _address(process: "subprocess.Popen[str]", output: list[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        output.append(line)
        if match := _address_in(line):
            return match[0]
    raise AssertionError(f"ended with {process.wait()}:\n{''.join(output)}")
