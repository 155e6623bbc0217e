"""The tables of the API page, and of others."""

import re

from tests.processes import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()


def rows(head: str, page: str = PAGE) -> list[list[str]]:
    """Return the cells of the table with this head, row by row."""
    table = page.partition(f"\n{head}\n")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names(cell: str) -> list[str]:
    """Return what stands in code."""
    return re.findall(r"`([^`]+)`", cell)
