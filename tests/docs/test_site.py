"""The site of the documentation: everything is reached, and everything is found."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

_links = re.compile(r'<a class="[^"]*\binternal"[^>]* href="([^"#?]+)').findall

OF_SPHINX = ("genindex", "py-modindex", "search")
FOUND = {
    "pgbouncer": "operations",
    "idempot": "api",
    "keyset": "reference/tasks",
    "debezium": "change-stream",
    "offlin": "sync",
    "undo": "trash",
    "bulk": "batch",
    "signatur": "decisions/0008-tokens",
    "unreleas": "changelog",
}
"""Words, as the search has them: without their ends."""


@pytest.fixture(scope="session")
def index(site: Path) -> Any:
    """Return what the search of the site looks through."""
    written = (site / "searchindex.js").read_text()
    return json.loads(written.removeprefix("Search.setIndex(").removesuffix(")"))


def test_every_page_is_reached_from_the_first(site: Path) -> None:
    """Whoever follows links from the index comes everywhere."""
    reached, ahead = set[Path](), [site / "index.html"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            ahead += [(page.parent / link).resolve() for link in _links(page.read_text())]
    made = set(site.rglob("*.html")) - {site / f"{name}.html" for name in OF_SPHINX}
    assert made - reached == set()


def test_the_first_page_leads_each_reader(site: Path) -> None:
    """Who calls it, deploys it, develops on it or upgrades it finds the way before any lesson."""
    page = (site / "index.html").read_text().partition('<article role="main"')[2]
    links = set(_links(page.partition("Tutorial")[0]))
    assert {"api.html", "operations.html", "architecture.html", "changelog.html"} <= links
    assert {"clients/index.html", "reference/index.html", "decisions/index.html"} <= links


@pytest.mark.parametrize("word", FOUND)
def test_the_search_finds(word: str, index: Any) -> None:
    """The index of the search knows in which pages a word stands."""
    numbers = pages_of(word, index["terms"]) | pages_of(word, index["titleterms"])
    assert FOUND[word] in {index["docnames"][number] for number in numbers}


def pages_of(word: str, terms: dict[str, int | list[int]]) -> set[int]:
    """Return the pages that the index has for a word: it writes one as a number."""
    pages = terms.get(word, [])
    return {pages} if isinstance(pages, int) else set(pages)


def test_the_search_finds_names_of_python(index: Any) -> None:
    """What is in the reference is found by its name."""
    assert "create_app" in {entry[4] for entry in index["objects"]["taskservice.app"]}
