"""The document is what the linters of its users want: no error, no warning.

Needs Node and npm: `tox -e clients` runs it.
"""

import subprocess
from pathlib import Path

import pytest
from tests.processes import environment

from taskservice.app import openapi_document

pytestmark = pytest.mark.clients

RULES = Path(__file__).with_name("spectral.yaml")
REDOCLY = ["redocly", "lint", "--extends", "recommended-strict", "openapi.json"]
SPECTRAL = ["spectral", "lint", "--ruleset", str(RULES), "--fail-severity", "hint", "openapi.json"]


def judged(command: list[str], folder: Path, path: str, document: bytes) -> tuple[int, str]:
    (folder / "openapi.json").write_bytes(document)
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(PATH=path, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true"),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("command", [REDOCLY, SPECTRAL], ids=lambda command: command[0])
def test_a_linter_finds_nothing(command: list[str], workplace: Path, path: str) -> None:
    """Redocly's recommended-strict and Spectral's spectral:oas are both silent."""
    status, said = judged(command, workplace, path, openapi_document())
    assert status == 0, said
    assert "warning" not in said.replace("Deprecation warning", "")


@pytest.mark.parametrize("command", [REDOCLY, SPECTRAL], ids=lambda command: command[0])
def test_a_linter_looks(command: list[str], workplace: Path, path: str) -> None:
    """An operation without an id is told."""
    spoilt = openapi_document().replace(b'"operationId": "livez",', b"")
    status, said = judged(command, workplace, path, spoilt)
    assert status != 0
    assert "operationId" in said or "operation-operationId" in said
