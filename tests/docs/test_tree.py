"""The tree of the architecture page has every package, and no other."""

import re

from tests.processes import ROOT

PACKAGE = ROOT / "src" / "taskservice"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TREE = PAGE.partition("## The tree\n\n```text\n")[2].partition("```")[0]


def listed() -> set[str]:
    """Return the paths of the folders that the tree lists below the package."""
    parents: list[str] = []
    paths = set()
    for indent, name in re.findall(r"(?m)^((?:  )+)(\w+)/ ", TREE):
        parents = [*parents[: len(indent) // 2 - 1], name]
        paths.add("/".join(parents))
    return paths


def test_the_tree_has_every_package() -> None:
    """What was added, renamed or removed is so in the tree."""
    there = {str(init.parent.relative_to(PACKAGE)) for init in PACKAGE.rglob("__init__.py")}
    assert listed() == there - {"."}
