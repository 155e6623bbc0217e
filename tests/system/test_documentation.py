"""The documents do what they say: the tutorial is run, and its answers compared."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.curl import path_with_curl
from tests.markdown_code import DOCS, blocks, code
from tests.processes import COMMAND, ROOT, SECONDS, environment, running

TUTORIAL = (DOCS / "index.md").read_text()

VARIES = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}": "<id>",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z": "<time>",
    r'"request_id":"[0-9a-f]{32}"': '"request_id":"<request>"',
    r"127\.0\.0\.1:\d+": "<address>",
}


def masked(text: str) -> str:
    """Return `text` without what differs from run to run."""
    for pattern, shown in VARIES.items():
        text = re.sub(pattern, shown, text)
    return text


def test_the_tutorial_answers_as_it_says(tmp_path: Path) -> None:
    """Every command of the tutorial works as pasted, and prints what stands under it."""
    (_, install), (_, serve), *lessons = blocks(TUTORIAL.partition("## Tutorial")[2], "sh", "text")
    assert "pip install" in install
    assert serve == "taskservice serve\n"
    said = "".join(text for language, text in lessons if language == "text")
    with running([*COMMAND, "serve", "--port", "0"], tmp_path) as service:
        pasted = "".join(text for language, text in lessons if language == "sh")
        script = pasted.replace("http://127.0.0.1:8000", service.address)
        # An answer of the API has no line end of its own; the reader's terminal shows one.
        script = re.sub(r"^(cat .*|curl (?!.*-w ).*)$", r"\1; echo", script, flags=re.MULTILINE)
        result = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=tmp_path,
            env=environment(PATH=path_with_curl(tmp_path)),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    assert result.stderr == ""
    assert masked(result.stdout).splitlines() == masked(said).splitlines()


def test_the_example_for_developers_runs() -> None:
    """The Python of the architecture page does what it asserts."""
    (example,) = code((DOCS / "architecture.md").read_text(), "python")
    exec(example, {})  # noqa: S102


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """A relative link of a page outside `docs/` names a file that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), target
