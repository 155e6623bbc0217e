"""The documents do what they say: the tutorials are run, and their answers compared."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.curl import path_with_curl
from tests.markdown_code import DOCS, blocks, code, files
from tests.processes import COMMAND, ROOT, SECONDS, environment, running

TUTORIAL = (DOCS / "index.md").read_text()

PAGE_SECONDS = 3 * SECONDS
"""How long the commands of a page may take: each starts processes."""

VARIES = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}": "<id>",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z": "<time>",
    r'"request_id":"[0-9a-f]{32}"': '"request_id":"<request>"',
    r'"position":"[0-9a-f]{15}1"': '"position":"<position>"',
    r'"next":"[A-Za-z0-9_-]{40,}"': '"next":"<token>"',
    r"127\.0\.0\.1:\d+": "<address>",
}


_prints_an_answer = re.compile(r"^(cat .*|curl (?!.*(?:-w |-o |\||\\$)).*)$", re.MULTILINE)
"""A command whose output ends with an answer: it has no format, file, pipe, or second line."""


def masked(text: str) -> str:
    """Return `text` without what differs from run to run."""
    for pattern, shown in VARIES.items():
        text = re.sub(pattern, shown, text)
    return text


def run(lessons: list[tuple[str, str]], folder: Path) -> None:
    """Paste the commands of a page into a shell beside a new service, and compare the output."""
    pasted, said = (
        "".join(text for language, text in lessons if language == wanted)
        for wanted in ("sh", "text")
    )
    with running([*COMMAND, "serve", "--port", "0"], folder) as service:
        script = pasted.replace("http://127.0.0.1:8000", service.address)
        # An answer of the API has no line end of its own; the reader's terminal shows one.
        script = _prints_an_answer.sub(r"\1; echo", script)
        result = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=folder,
            env=environment(PATH=path_with_curl(folder)),
            capture_output=True,
            text=True,
            check=False,
            timeout=PAGE_SECONDS,
        )
    assert result.stderr == ""
    assert masked(result.stdout).splitlines() == masked(said).splitlines()


def test_the_tutorial_answers_as_it_says(tmp_path: Path) -> None:
    """Every command of the tutorial works as pasted, and prints what stands under it."""
    (_, install), (_, serve), *lessons = blocks(TUTORIAL.partition("## Tutorial")[2], "sh", "text")
    assert "pip install" in install
    assert serve == "taskservice serve\n"
    run(lessons, tmp_path)


def test_the_page_about_planning_answers_as_it_says(tmp_path: Path) -> None:
    """So does every command of the page that continues the tutorial."""
    run(blocks((DOCS / "planning.md").read_text(), "sh", "text"), tmp_path)


def test_the_page_about_planning_continues_the_tutorial(tmp_path: Path) -> None:
    """Its lists are the same for a reader who still has the tasks of the tutorial."""
    tutorial = blocks(TUTORIAL.partition("## Tutorial")[2], "sh", "text")[2:]
    run([*tutorial, *blocks((DOCS / "planning.md").read_text(), "sh", "text")], tmp_path)


def test_the_page_about_sync_answers_as_it_says(tmp_path: Path) -> None:
    """So does every command of the page that keeps a copy in step, for a user of its own."""
    tutorial = blocks(TUTORIAL.partition("## Tutorial")[2], "sh", "text")[2:]
    run([*tutorial, *blocks((DOCS / "sync.md").read_text(), "sh", "text")], tmp_path)


def test_the_page_about_the_trash_answers_as_it_says(tmp_path: Path) -> None:
    """So does every command of the page about the trash, with the function that it shows."""
    page = (DOCS / "trash.md").read_text()
    for name, content in files(page).items():
        (tmp_path / name).write_text(content)
    run(blocks(page, "sh", "text"), tmp_path)


def test_the_page_about_batches_answers_as_it_says(tmp_path: Path) -> None:
    """So does every command of the page about many tasks at once."""
    run(blocks((DOCS / "batch.md").read_text(), "sh", "text"), tmp_path)


def test_the_example_for_developers_runs() -> None:
    """The Python of the architecture page does what it asserts."""
    (example,) = code((DOCS / "architecture.md").read_text(), "python")
    exec(example, {})  # noqa: S102


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """A relative link of a page outside `docs/` names a file that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), target
