"""The collection runs: each request is answered with the status that the document has for it.

Needs Node and npm: `tox -e clients` runs it.
"""

import json
import subprocess
from pathlib import Path

import pytest
from tests.http.test_collection import FILE
from tests.http_callers import token_of
from tests.processes import Service, environment

pytestmark = pytest.mark.clients


def test_newman_runs_the_collection(service: Service, workplace: Path, path: str) -> None:
    """Postman's own runner sends every request, in order, and finds each answer as documented."""
    values = {"base_url": service.address, "token": token_of("ada")}
    report = workplace / "report.json"
    command = ["newman", "run", str(FILE), "-r", "json", "--reporter-json-export", str(report)]
    for name, value in values.items():
        command += ["--env-var", f"{name}={value}"]
    done = subprocess.run(
        command,
        cwd=workplace,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    run = json.loads(report.read_text())["run"]
    assert done.returncode == 0, [failure["error"]["message"] for failure in run["failures"]]
    sent = sum(len(folder["item"]) for folder in json.loads(FILE.read_text())["item"])
    assert run["stats"]["requests"] == {"total": sent, "pending": 0, "failed": 0}
    assert run["stats"]["assertions"] == {"total": sent, "pending": 0, "failed": 0}
