"""A process that stands still, and is there all the same."""

import os
import signal
import time
from pathlib import Path

from tests.processes import SECONDS


def freeze(process: int) -> None:
    """Stop a process, and return when all its threads stand still.

    A thread that waits for a processor would take what is sent to it meanwhile before it stops.
    """
    os.kill(process, signal.SIGSTOP)
    await_stillness(process)


def await_stillness(process: int) -> None:
    """Return when all threads of a process that is, or will be, stopped stand still."""
    deadline = time.monotonic() + SECONDS
    while _states(process) != {"T"}:
        assert time.monotonic() < deadline, f"{process} does not stop"
        time.sleep(0.01)


def _states(process: int) -> set[str]:
    """Return the states of a process's threads (proc(5), the field behind the name)."""
    stats = Path(f"/proc/{process}/task").glob("*/stat")
    return {stat.read_text().rpartition(")")[2].split()[0] for stat in stats}
