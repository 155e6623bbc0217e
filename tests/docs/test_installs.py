"""What a reader is given to paste installs what was tested, whatever was released since."""

import re
from pathlib import Path

import pytest
from tests.processes import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", ".ci/run")),
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "docs" / "deploy" / "Containerfile",
]
EXTRAS = {"'taskservice[redis]'", "'taskservice[otel]'", "'.[testing]'"}
"""What is added to an installation: a package or two, within the ranges of setup.cfg."""

BROUGHT = {"tsc", "vite"}
"""Programs of packages that a page has installed before."""

_commands = re.compile(r"\b(pip install|npm install|npm create|npx)((?: +[^\s&|;`]+)+)").findall
_is_pinned = re.compile(r"@?[\w./-]+(==|@)\d[\w.]*$").match


def unpinned(text: str) -> list[str]:
    """Return the commands that would install whatever there is on that day."""
    return [
        f"{program}{rest}"
        for program, rest in _commands(text.replace("\\\n", " "))
        if not _is_repeatable(program, rest.split())
    ]


def _is_repeatable(program: str, words: list[str]) -> bool:
    named = [word for word in words if not word.startswith("-")]
    if program == "npx":
        packages = re.findall(r"-p (\S+)", " ".join(words)) or named[:1]
        return all(word in BROUGHT or _is_pinned(word) for word in packages)
    if "-r" in words or named == ["."]:
        return "-r" in words or "--no-deps" in words
    return all(word in EXTRAS or _is_pinned(word) for word in named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_installs_what_was_tested(page: Path) -> None:
    """Each command takes a lock, or names a version."""
    assert unpinned(page.read_text()) == []


@pytest.mark.parametrize(
    "command",
    [
        ".venv/bin/pip install -q .",
        "pip install -e '.[test,lint,docs]'",
        "pip install -q build",
        "npm install openapi-fetch",
        "npm create vite@latest tasks",
        "npx newman run collection.json",
        "npx -y -p typescript@5.9.3 -p openapi-typescript openapi-typescript",
    ],
)
def test_a_command_that_rests_on_today_is_found(command: str) -> None:
    """Each of these installs another thing tomorrow."""
    assert unpinned(f"```sh\n{command}\n```\n") == [command.removeprefix(".venv/bin/")]


def test_the_package_is_built_with_what_was_tested() -> None:
    """Installing from a clone builds, and that fetches setuptools."""
    assert 'requires = ["setuptools==' in (ROOT / "pyproject.toml").read_text()
