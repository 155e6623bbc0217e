"""gunicorn's workers as the kernel sees them: who they are, and which sockets they hold."""

import signal
import time
from pathlib import Path

from tests.processes import SECONDS, Service


def workers(service: Service) -> list[int]:
    """Return the process ids of the workers, oldest first."""
    master = service.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text()
    return [int(child) for child in children.split()]


def await_end(service: Service, old: list[int]) -> None:
    """Return when those workers are gone, and reaped."""
    deadline = time.monotonic() + SECONDS
    while set(old) & set(workers(service)):
        assert time.monotonic() < deadline, "an old worker lives on"
        time.sleep(0.01)


def sockets_to(port: int, process: int) -> set[str]:
    """Return the sockets of a process that lead to a port, each by its inode."""
    leading = _leading_to(port, process)
    held = (_target(entry) for entry in Path(f"/proc/{process}/fd").iterdir())
    return {name for name in held if name in leading}


def _leading_to(port: int, process: int) -> set[str]:
    tables = Path(f"/proc/{process}/net").glob("tcp*")
    lines = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {f"socket:[{line[9]}]" for line in lines if int(line[2].rpartition(":")[2], 16) == port}


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except FileNotFoundError:
        return ""


def await_signal(process: int, number: signal.Signals) -> None:
    """Return when a signal waits to be delivered to a process, which is stopped."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if _pending(process) >> (number - 1) & 1:
            return
        time.sleep(0.01)
    raise AssertionError(f"{process} was not sent {number.name}")


def _pending(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (shared,) = (line for line in lines if line.startswith("ShdPnd:"))
    return int(shared.partition(":")[2], 16)
