"""The documentation, built once."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import ROOT


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the pages, where a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    strictly = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "trees")]
    command = [sys.executable, "-m", "sphinx", *strictly, str(ROOT / "docs"), str(folder / "html")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder / "html"
