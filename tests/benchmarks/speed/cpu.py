"""The CPU time of processes, as the kernel counts it (proc(5))."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(process: int) -> list[int]:
    """Return a process and all below it."""
    found = [process]
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _text(children).split():
            found += tree(int(child))
    return found


def seconds(process: int) -> float:
    """Return the CPU seconds, user and system, of a process and all below it, ended ones too."""
    times = [_times(one) for one in tree(process)]
    return (sum(own for own, _ in times) + times[0][1]) / TICKS


def _times(process: int) -> tuple[int, int]:
    """Return the ticks of a process, and of its children that have ended."""
    if not (line := _text(Path(f"/proc/{process}/stat"))):
        return 0, 0
    ticks = [int(field) for field in line.rpartition(")")[2].split()[11:15]]
    return sum(ticks[:2]), sum(ticks[2:])


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
