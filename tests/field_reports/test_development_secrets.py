"""The development secret: used where it is ours alone, and refused by name where it is not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.field_reports.development_secrets import FILE_SYSTEMS, FILES, KEPT, NAME, Access, mode
from tests.field_reports.report import Report

from taskservice.cli import development_secret
from taskservice.cli.development_secret import with_development_secret, with_existing_secret
from taskservice.config import DEFAULT_DATABASE, ConfigError

ENVIRONMENT = {"DATABASE_URL": DEFAULT_DATABASE}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command is run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said() -> str:
    """Return what is said of the secret as both commands read it, nothing where it is taken."""
    logged = set()
    for read in (with_existing_secret, with_development_secret):
        try:
            assert read(ENVIRONMENT)["TASKSERVICE_JWT_SECRET"] == KEPT
            logged.add("")
        except ConfigError as error:
            logged.add(str(error))
    (message,) = logged
    return message


def unread() -> tuple[int, ...]:
    """Return all that the file system says of the file, but the time of the last reading."""
    found = os.lstat(NAME)
    return (
        found.st_ino,
        found.st_mode,
        found.st_uid,
        found.st_gid,
        found.st_size,
        found.st_ctime_ns,
    )


@pytest.mark.parametrize("report", FILES, ids=str)
def test_a_file_is_taken_or_refused_by_name(report: Report[Callable[[Path], None], str]) -> None:
    """And where it is refused, what to do is said, and nothing is changed."""
    report.tried(Path(NAME))
    before = unread()
    message = said()
    assert message.startswith(f"{NAME} {report.right}" if report.right else "")
    assert bool(message) == bool(report.right)
    assert not message or message.endswith(", or set TASKSERVICE_JWT_SECRET")
    assert unread() == before


@pytest.mark.parametrize("report", FILE_SYSTEMS, ids=str)
def test_permissions_are_not_required_if_the_file_system_has_none(
    report: Report[Access, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a new file of ours looks no better, it is a warning: no chmod would change it.

    These file systems are pretended: to mount them takes rights that the tests may not have.
    """
    mode(0o600)(Path(NAME))
    inode = os.lstat(NAME).st_ino

    def permissions(descriptor: int) -> tuple[int, int]:
        return report.tried.kept if os.fstat(descriptor).st_ino == inode else report.tried.new

    monkeypatch.setattr(development_secret, "_permissions", permissions)
    message = said()
    assert message.startswith(
        f"{NAME} {report.right}" if report.right not in {"", "warned"} else ""
    )
    assert bool(message) == (report.right not in {"", "warned"})
    warned = {record.message for record in caplog.records}
    assert warned == ({"development secret is not private"} if report.right == "warned" else set())


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give a file away")
def test_root_takes_no_secret_of_another_user() -> None:
    """Whoever planted it could make tokens for everybody."""
    mode(0o600)(Path(NAME))
    os.chown(NAME, 12345, 12345)
    assert said().startswith(f"{NAME} belongs to another user (12345): ")


def test_a_secret_is_made_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At random, beside the database, for its owner alone; a second start finds it."""
    made = set()
    for name in ("a", "b", "a"):
        (folder / name).mkdir(exist_ok=True)
        read = with_development_secret({"DATABASE_URL": f"sqlite:///{name}/tasks.db"})
        made.add(read["TASKSERVICE_JWT_SECRET"])
        assert (folder / name / "tasks.secret").stat().st_mode & 0o777 == 0o600
    assert len(made) == 2
    assert caplog.records == []


@pytest.mark.parametrize("address", ["sqlite:///", "sqlite:///.", "mysql://x"])
def test_an_invalid_database_is_reported_first(address: str, folder: Path) -> None:
    """The message is about DATABASE_URL, and no secret is made."""
    with pytest.raises(ConfigError, match=r"^DATABASE_URL must "):
        with_development_secret({"DATABASE_URL": address})
    assert list(folder.iterdir()) == []
