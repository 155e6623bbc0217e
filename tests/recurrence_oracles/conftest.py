"""What rrule-temporal needs: Node.js, and npm's packages."""

import shutil
from pathlib import Path

import pytest
from tests.processes import ROOT

HERE = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """What is missing is named; no test is skipped for it."""
    missing = [] if shutil.which("node") else ["node (nodejs)"]
    if not (HERE / "node_modules").exists():
        missing.append(f"npm's packages (npm ci --prefix {HERE.relative_to(ROOT)})")
    if missing:
        raise RuntimeError(f"the recurrence rules need {', '.join(missing)}")
