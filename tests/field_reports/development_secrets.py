"""Development secrets, as file systems and other users of the machine may leave them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.field_reports.report import Report

KEPT = "kept-by-the-tests-in-a-file-of-their-own"
NAME = "taskservice.secret"
ME, OTHER = os.geteuid(), os.geteuid() + 1
OPEN = "must be accessible by its owner only: run `chmod 600 taskservice.secret`"


def mode(mode: int) -> Callable[[Path], None]:
    def plant(file: Path) -> None:
        file.write_text(f"{KEPT}\n")
        file.chmod(mode)

    return plant


def content(octets: bytes) -> Callable[[Path], None]:
    def plant(file: Path) -> None:
        file.touch(0o600)
        file.write_bytes(octets)

    return plant


def link(file: Path) -> None:
    (other := file.with_name("elsewhere")).touch(0o600)
    other.write_text(f"{KEPT}\n")
    file.symlink_to(other)


def dangling(file: Path) -> None:
    file.symlink_to(file.with_name("nowhere"))


FILES: list[Report[Callable[[Path], None], str]] = [
    Report("kovshenin/sail#41", "mode 0600", mode(0o600), ""),
    Report("kovshenin/sail#41", "mode 0400", mode(0o400), ""),
    Report("kovshenin/sail#41", "all may read it", mode(0o644), OPEN),
    Report("kovshenin/sail#41", "the group may write it", mode(0o620), OPEN),
    Report("security review", "a link to a file of ours", link, "must not be a symbolic link"),
    Report("security review", "a link to nothing", dangling, "must not be a symbolic link"),
    Report("security review", "a FIFO", os.mkfifo, "must be a regular file"),
    Report("security review", "a folder", Path.mkdir, "cannot be read (Is a directory)"),
    Report("kovshenin/sail#41", "nothing in it", content(b""), "must be at least 32 bytes"),
    Report("kovshenin/sail#41", "bytes", content(b"\xff" * 64), "must be Unicode text"),
]
"""What stands where the secret is kept, and what is said of it; nothing where it is taken."""


class Access(NamedTuple):
    """The owner of the secret, and what others may do with it; and of a new file beside it."""

    kept: tuple[int, int]
    new: tuple[int, int]


FILE_SYSTEMS: list[Report[Access, str]] = [
    Report("kovshenin/sail#41", "ext4", Access((ME, 0), (ME, 0)), ""),
    Report("kovshenin/sail#41", "exFAT", Access((ME, 0o055), (ME, 0o055)), "warned"),
    Report("microsoft/WSL#3686", "DrvFs as root", Access((OTHER, 0o077), (OTHER, 0o077)), "warned"),
    Report("microsoft/WSL#3686", "chmod holds", Access((ME, 0o044), (ME, 0)), OPEN),
    Report("security review", "planted", Access((OTHER, 0), (ME, 0)), "belongs to another user"),
    Report(
        "security review",
        "planted where chmod does not hold",
        Access((OTHER, 0o055), (ME, 0o055)),
        "belongs to another user",
    ),
]
"""What a file system says of both, and what is said of the secret."""
