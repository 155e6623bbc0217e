"""The tree of the architecture page has every module, and no other."""

import re

import pytest
from tests.processes import ROOT

PACKAGE = ROOT / "src" / "taskservice"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TREE = PAGE.partition("## The tree\n\n```text\n")[2].partition("```")[0]


def told(folder: str) -> set[str]:
    """Return the modules that the tree lists under a folder, which may be within another."""
    indent, _, below = re.split(rf"(?m)^( *)({re.escape(folder)}/) *$\n", TREE, maxsplit=1)[1:]
    own = re.match(rf"(?:{indent}  .*\n)*", below)
    assert own is not None
    return set(re.findall(rf"(?m)^{indent}  (\w+)\.py ", own[0]))


@pytest.mark.parametrize("path", ["core", "adapters/sql", "adapters/http"])
def test_the_tree_has_every_module(path: str) -> None:
    """What was added, renamed or removed is so in the tree."""
    there = {module.stem for module in (PACKAGE / path).glob("[!_]*.py")}
    assert told(path.rpartition("/")[2]) == there
