"""Output files: every name that a command is given is written into, or told in one message."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from pathlib import Path
from stat import S_IFMT

import pytest
from tests.databases import service_engine, sqlite_database
from tests.field_reports.outputs import REFUSED, STREAMS, TAKEN, Made
from tests.field_reports.report import Report
from tests.http_callers import SETTINGS

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.cli import main
from taskservice.cli.export_import import export_tasks
from taskservice.cli.jsonlines import format_entity
from taskservice.cli.openapi import openapi
from taskservice.cli.serve import announce
from taskservice.config import ConfigError
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sample_tasks import sample_tasks
from taskservice.testing import ADA, START

TASKS = list(sample_tasks(ADA, 3, START, TimeOrderedIds()))
LINES = b"".join(map(format_entity, TASKS))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a few tasks of Ada's."""
    address = sqlite_database(tmp_path_factory.mktemp("database"))
    engine = service_engine(address)
    SqlOwnerData(engine, ADA).import_entities(TASKS)
    engine.dispose()
    return address


def export(name: str, database: str) -> None:
    export_tasks.main([ADA, name, "--database", database], standalone_mode=False)


@pytest.mark.parametrize("report", TAKEN, ids=str)
def test_a_name_is_written_into(report: Report[Made, int], tmp_path: Path, database: str) -> None:
    """All of it arrives, and the name leads to what it led to."""
    with report.tried(tmp_path) as place:
        export(place.name, database)
        assert S_IFMT(os.lstat(place.name).st_mode) == report.right
        assert place.arrived() == LINES
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("report", REFUSED, ids=str)
def test_an_unwritable_name_is_an_error(
    report: Report[str, str], tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, with the reason."""
    monkeypatch.chdir(tmp_path)
    Path("full").symlink_to("/dev/full")
    Path("circle").symlink_to("circle")
    with pytest.raises(ConfigError) as caught:
        export(report.tried, database)
    assert str(caught.value) == f"{report.tried} cannot be written: {report.right}"


@contextmanager
def standard_output(made: Callable[[], int] | None) -> Iterator[None]:
    """Put something else where this process's standard output is, or nothing."""
    kept = os.dup(1)
    if made is None:
        os.close(1)
    else:
        os.dup2(other := made(), 1)
        os.close(other)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@pytest.mark.parametrize("name", ["-", "/dev/fd/1"])
@pytest.mark.parametrize("report", STREAMS, ids=str)
def test_unwritable_standard_output_is_an_error(
    report: Report[Callable[[], int] | None, str], name: str, database: str
) -> None:
    """No traceback, and no success."""
    with standard_output(report.tried), pytest.raises(ConfigError) as caught:
        export(name, database)
    shown = "standard output" if name == "-" else name
    assert str(caught.value) == f"{shown} cannot be written: {report.right}"


def test_a_dash_is_standard_output(
    tmp_path: Path, database: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """As for `import`; no file of that name is made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        export("-", database)
    assert capfdbinary.readouterr().out == LINES
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o400])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, database: str, mode: int) -> None:
    """Who could read it still can, and nobody else."""
    (file := tmp_path / "tasks.jsonl").touch()
    file.chmod(mode)
    export(str(file), database)
    assert file.stat().st_mode & 0o777 == mode


def test_standard_error_may_be_closed(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is exported is exported, whether anybody hears of it."""
    monkeypatch.setattr(sys, "stderr", None)
    export(str(tmp_path / "tasks.jsonl"), database)
    assert (tmp_path / "tasks.jsonl").read_bytes() == LINES


def test_an_error_is_never_written_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not even if standard error is closed: it would be taken for a task."""
    monkeypatch.setattr("taskservice.cli.configure", lambda _: None)
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as caught:
        main(["export", ADA, "-", "--database", "nonsense"])
    assert (caught.value.code, capfd.readouterr().out) == (2, "")


def test_what_a_terminal_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help has dots that ISO 8859-1 does not have, and the path of a database may have anything."""
    printed = BytesIO()
    monkeypatch.setattr("taskservice.cli.configure", lambda _: None)
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(printed, encoding="latin-1"))
    main(["serve", "--help"], standalone_mode=False)
    announce(replace(SETTINGS, database_url="sqlite:///łé.db"), "http://127.0.0.1:8000")
    sys.stdout.flush()
    assert rb"postgresql://\u2026" in printed.getvalue()
    assert b"sqlite:///\\u0142\xe9.db\n" in printed.getvalue()


def test_the_document_goes_where_tasks_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Into a file that a link leads to, and to standard output; nothing is logged."""
    (tmp_path / "link").symlink_to("openapi.json")
    for name in ("-", str(tmp_path / "link")):
        openapi.main([name], standalone_mode=False)
    out, err = capfdbinary.readouterr()
    assert (tmp_path / "openapi.json").read_bytes() == out
    assert out.startswith(b"{")
    assert (err, caplog.records) == (b"", [])
