"""Names that an output file may have, and what a command must do with each."""

import os
import pty
import tty
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from select import select
from stat import S_IFCHR, S_IFIFO, S_IFLNK, S_IFREG
from threading import Thread
from typing import NamedTuple

from tests.field_reports.report import Report

OLD = b"what stood there before\n"
END = b"\x04"


class Place(NamedTuple):
    """An output file: its name, and what reads the octets that have come there."""

    name: str
    arrived: Callable[[], bytes]


Made = Callable[[Path], AbstractContextManager[Place]]


class Drain:
    """Reads a pipe to its end, beside who writes."""

    def __init__(self, opened: Callable[[], int]) -> None:
        self._octets = b""
        self._thread = Thread(target=self._read, args=(opened,), daemon=True)
        self._thread.start()

    def __call__(self) -> bytes:
        self._thread.join(30)
        return self._octets

    def _read(self, opened: Callable[[], int]) -> None:
        with os.fdopen(opened(), "rb") as pipe:
            self._octets = pipe.read()


@contextmanager
def fifo(folder: Path) -> Iterator[Place]:
    os.mkfifo(path := folder / "fifo")
    yield Place(str(path), Drain(lambda: os.open(path, os.O_RDONLY)))


@contextmanager
def substitution(_: Path) -> Iterator[Place]:
    """The name that a shell gives to `>(gzip)`."""
    reader, writer = os.pipe()

    def arrived() -> bytes:
        os.close(writer)
        return Drain(lambda: reader)()

    yield Place(f"/dev/fd/{writer}", arrived)


@contextmanager
def appended(folder: Path) -> Iterator[Place]:
    """`3>> all.jsonl`, and `/dev/fd/3`."""
    (path := folder / "all.jsonl").write_bytes(OLD)
    with path.open("ab") as out:
        yield Place(f"/dev/fd/{out.fileno()}", lambda: path.read_bytes().removeprefix(OLD))


@contextmanager
def terminal(_: Path) -> Iterator[Place]:
    screen, device = pty.openpty()
    tty.setraw(device)
    os.set_blocking(screen, False)
    yield Place(os.ttyname(device), lambda: shown(screen, device))
    os.close(device)
    os.close(screen)


def shown(screen: int, device: int) -> bytes:
    """All that was written to a terminal, which passes it on in pieces, some of them later."""
    os.write(device, END)
    octets = b""
    while not octets.endswith(END):
        select([screen], [], [], 30)
        octets += os.read(screen, 65536)
    return octets.removesuffix(END)


@contextmanager
def link(folder: Path) -> Iterator[Place]:
    (folder / "elsewhere").mkdir()
    (target := folder / "elsewhere" / "tasks.jsonl").write_bytes(OLD)
    (folder / "second").symlink_to("elsewhere/tasks.jsonl")
    (path := folder / "first").symlink_to(folder / "second")
    yield Place(str(path), target.read_bytes)


@contextmanager
def dangling_link(folder: Path) -> Iterator[Place]:
    (folder / "elsewhere").mkdir()
    (path := folder / "link").symlink_to("elsewhere/tasks.jsonl")
    yield Place(str(path), (folder / "elsewhere" / "tasks.jsonl").read_bytes)


@contextmanager
def file(folder: Path) -> Iterator[Place]:
    (path := folder / "tasks.jsonl").write_bytes(OLD)
    yield Place(str(path), path.read_bytes)


TAKEN: list[Report[Made, int]] = [
    Report("ocrmypdf/OCRmyPDF#1068", "a FIFO", fifo, S_IFIFO),
    Report("ocrmypdf/OCRmyPDF#1068", "process substitution", substitution, S_IFLNK),
    Report("ocrmypdf/OCRmyPDF#1068", "a descriptor that appends", appended, S_IFLNK),
    Report("sahib/rmlint#763", "a device", terminal, S_IFCHR),
    Report("bazelbuild/bazel#31038", "a link to a link", link, S_IFLNK),
    Report("bazelbuild/bazel#31038", "a link to what is not there yet", dangling_link, S_IFLNK),
    Report("bazelbuild/bazel#31038", "a file", file, S_IFREG),
]
"""What is written into each, and the type of the file that has the name afterwards: as before."""

FULL, CLOSED = "No space left on device", "Bad file descriptor"

REFUSED: list[Report[str, str]] = [
    Report("sahib/rmlint#763", "a device that is full", "full", FULL),
    Report("sahib/rmlint#763", "a link in circles", "circle", "Too many levels of symbolic links"),
    Report("sahib/rmlint#763", "a folder that is not there", "no/x", "No such file or directory"),
    Report("sahib/rmlint#763", "a descriptor that is not open", "/dev/fd/9999999", CLOSED),
]
"""Why each cannot be written."""


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def left() -> int:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


STREAMS: list[Report[Callable[[], int] | None, str]] = [
    Report("sahib/rmlint#763", "full", full, FULL),
    Report("sahib/rmlint#763", "closed", None, CLOSED),
    Report("sahib/rmlint#763", "a reader that has gone", left, "Broken pipe"),
]
"""What standard output is, and why it cannot be written."""
