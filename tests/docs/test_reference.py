"""The Python reference contains and documents every public name."""

import ast
import re
import zlib
from pathlib import Path

import pytest
from sphinx.pycode import ModuleAnalyzer
from tests.processes import ROOT

from taskservice import testing
from taskservice.testing import contract

_directives = re.compile(r"^\.\. automodule:: (\S+)\n   :members:(.*)$", re.MULTILINE).findall
_pages = "".join(page.read_text() for page in sorted((ROOT / "docs" / "reference").glob("*.md")))
MODULES = {module: chosen.replace(",", " ").split() for module, chosen in _directives(_pages)}
SRC = ROOT / "src"
CORE = [
    ".".join(file.relative_to(SRC).with_suffix("").parts)
    for file in (SRC / "taskservice" / "core").rglob("[!_]*.py")
]


def parsed(module: str) -> ast.Module:
    """Return a module as it is written: the tests put functions of their own into some."""
    path = ROOT / "src" / Path(*module.split("."))
    return ast.parse(
        (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    )


def documented(module: str) -> dict[str, ast.stmt]:
    """Return what the reference is to have of a module: what it chooses, or all that is public."""
    found = {name: node for node in parsed(module).body if (name := defined(node))}
    chosen = MODULES[module] or [name for name in found if not name.startswith("_")]
    return {name: found[name] for name in chosen}


def defined(node: ast.stmt) -> str:
    """Return the name that a statement gives, if it gives one."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def methods(node: ast.stmt) -> list[ast.FunctionDef]:
    """Return the public methods and properties that a class defines itself."""
    body = node.body if isinstance(node, ast.ClassDef) else []
    defs = [inner for inner in body if isinstance(inner, ast.FunctionDef)]
    return [method for method in defs if not method.name.startswith("_")]


@pytest.fixture(scope="session")
def listed(site: Path) -> set[str]:
    """Return every Python name in the inventory of the site."""
    packed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split(" ")[0] for line in lines if line.split(" ")[1].startswith("py:")}


def test_all_of_the_core_is_in_the_reference() -> None:
    """Each module of the core is in the reference, with all its members."""
    assert {module for module, chosen in MODULES.items() if not chosen} >= set(CORE)


def test_all_that_is_for_tests_is_in_the_reference() -> None:
    """Public names of `taskservice.testing` and its contract are in the reference."""
    offered = {**vars(testing), **vars(contract)}
    names = {*testing.__all__, "TaskServiceContract", "OwnerDataContract", "UntestedGuarantee"}
    modules = {getattr(offered[name], "__module__", "") for name in names}
    assert {module for module in modules if module.startswith("taskservice.")} <= {*MODULES}
    there = {name for module in MODULES for name in documented(module)}
    assert names <= there


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module: str, listed: set[str]) -> None:
    """So are public methods and properties."""
    for name, node in documented(module).items():
        wanted = {f"{module}.{name}", *(f"{module}.{name}.{each.name}" for each in methods(node))}
        assert wanted - listed == set()


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring(module: str) -> None:
    """Each module, class, function, method, property and constant has one."""
    assert ast.get_docstring(parsed(module))
    constants = ModuleAnalyzer.for_module(module).find_attr_docs()
    for name, node in documented(module).items():
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            silent = [each.name for each in (node, *methods(node)) if not ast.get_docstring(each)]
            assert silent == []
        else:
            assert ("", name) in constants
