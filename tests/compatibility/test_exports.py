"""Exports of other versions: `form_N.jsonl` is of the last version of each form."""

import json
from pathlib import Path

import pytest
from tests.compatibility.samples import SCHEMA_VERSIONS, in_current_form
from tests.databases import sqlite_database
from tests.processes import COMMAND, run

from taskservice.core.task import Task
from taskservice.testing import ADA

SAMPLE = Path(__file__).parent / "form_1.jsonl"


@pytest.fixture
def address(tmp_path: Path) -> str:
    return sqlite_database(tmp_path)


def import_lines(address: str, file: Path) -> tuple[int, str, str]:
    """Import a file; return the status and both streams."""
    result = run([*COMMAND, "import", ADA, str(file)], file.parent, DATABASE_URL=address)
    return result.returncode, result.stdout, result.stderr


def exported(address: str, folder: Path) -> list[dict[str, object]]:
    file = folder / "exported.jsonl"
    assert run([*COMMAND, "export", ADA, str(file)], folder, DATABASE_URL=address).returncode == 0
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_an_export_of_form_1_is_imported(address: str, tmp_path: Path) -> None:
    """Its lines have no type: each is a task."""
    assert import_lines(address, SAMPLE) == (0, "2 lines imported\n", "")
    older = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    assert exported(address, tmp_path) == [
        {"type": "task", **Task.load(line).dump()} for line in older
    ]


@pytest.mark.parametrize("form", SCHEMA_VERSIONS)
def test_an_export_of_an_earlier_form_is_imported(address: str, tmp_path: Path, form: int) -> None:
    """What a line does not have follows from others, or has its default."""
    file = SAMPLE.with_name(f"form_{form}.jsonl")
    expected = [in_current_form(json.loads(line)) for line in file.read_text().splitlines()]
    assert import_lines(address, file) == (0, f"{len(expected)} lines imported\n", "")
    assert exported(address, tmp_path) == expected


def test_members_of_a_newer_version_are_named_and_not_imported(
    address: str, tmp_path: Path
) -> None:
    """The rest of the line is imported. No name is printed that a terminal would obey."""
    first, second = (json.loads(line) for line in SAMPLE.read_text().splitlines())
    file = tmp_path / "newer.jsonl"
    newer = [{**first, "later": 1, "\x1b[2J": None}, {**second, "later": None}]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in newer))
    message = "this version does not know, and did not import: ??2J, later\n"
    assert import_lines(address, file) == (0, "2 lines imported\n", message)
    assert [line["title"] for line in exported(address, tmp_path)] == [
        first["title"],
        second["title"],
    ]


def test_a_line_of_an_unknown_type_is_not_imported(address: str, tmp_path: Path) -> None:
    """It is reported by number, and the others are imported."""
    file = tmp_path / "newer.jsonl"
    file.write_text('{"type": "song", "title": "Imagine"}\n' + SAMPLE.read_text())
    status, _, messages = import_lines(address, file)
    assert (status, messages.splitlines()) == (
        2,
        [
            "line 1: this version does not know its type",
            "Error: 1 line not imported; 2 lines imported",
        ],
    )
