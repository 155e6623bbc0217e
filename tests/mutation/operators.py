"""Ways to break a module: each mutant is the module with one thing wrong."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import NamedTuple

SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}

MODULE = "module"
"""Where a mutant is that is in no class and no function."""

ROUND = 100
"""From here on a number is a measure, of which one more is no fault."""


class Mutant(NamedTuple):
    """A broken module: in which function what was changed, by its text, and the whole source.

    The same change to the same text of a function, elsewhere in it, is the next `occurrence`.
    """

    where: str
    change: str
    occurrence: int
    source: str

    @property
    def name(self) -> str:
        """Return where and what, as no other mutant of the module is called."""
        again = f" ({self.occurrence})" if self.occurrence > 1 else ""
        return f"{self.where}: {self.change}{again}"


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of `source`: annotations and docstrings stay as they are."""
    tree = ast.parse(source)
    where = dict(nodes_by_function(tree))
    seen = {ast.unparse(tree)}
    named = Counter[tuple[str, str]]()
    tests = {getattr(node, "test", None) for node in ast.walk(tree)}
    for place, node in enumerate(ast.walk(tree)):
        # A test that is turned round is as wrong as one that is always true or always false.
        for edit in _edits(node) if not (node in tests and isinstance(node, ast.Compare)) else ():
            broken = deepcopy(tree)
            target = list(ast.walk(broken))[place]
            edit(target)
            ast.fix_missing_locations(broken)
            if (text := ast.unparse(broken)) not in seen:
                seen.add(text)
                name = (where[node], _difference(node, target))
                named[name] += 1
                yield Mutant(*name, named[name], text)


def nodes_by_function(node: ast.AST, place: str = MODULE) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node, with the name of the class or function that it is or stands in."""
    inner = place
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        inner = node.name if place == MODULE else f"{place}.{node.name}"
    yield node, inner
    for child in ast.iter_child_nodes(node):
        yield from nodes_by_function(child, inner)


def _difference(node: ast.AST, broken: ast.AST) -> str:
    """Return what was changed: the statement that was silenced, or else the whole node."""
    bodies = (getattr(each, "body", None) for each in (node, broken))
    old, new = (body if isinstance(body, list) else [] for body in bodies)
    for before, after in zip(old, new, strict=True):
        if ast.dump(before) != ast.dump(after):
            return f"{_shown(before)} -> {_shown(after)}"
    return f"{_shown(node)} -> {_shown(broken)}"


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:160]


def _edits(node: ast.AST) -> Iterator[Callable[..., None]]:
    match node:
        case ast.If() | ast.IfExp() | ast.While():
            yield _set("test", ast.Constant(value=True))
            yield _set("test", ast.Constant(value=False))
        case ast.Compare(ops=[operator]) if type(operator) in SWAPS:
            yield _set("ops", [SWAPS[type(operator)]()])
        case ast.BoolOp(values=values):
            yield from (_drop("values", place) for place in range(len(values)))
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield _double
        case ast.Call(args=arguments, keywords=keywords):
            if len(arguments) > 1:
                yield from (_drop("args", place) for place in range(len(arguments)))
            yield from (_drop("keywords", place) for place in range(len(keywords)))
        case ast.With(items=items) if len(items) > 1:
            yield from (_drop("items", place) for place in range(len(items)))
        case ast.Constant(value=bool(value)):
            yield _set("value", not value)
        case ast.Constant(value=int(value)) if value < ROUND:
            yield _set("value", value + 1)
    yield from _silenced(node)


def _silenced(node: ast.AST) -> Iterator[Callable[..., None]]:
    """Yield, for each statement of a body that does something, its removal."""
    body = getattr(node, "body", None)
    for place, statement in enumerate(body if isinstance(body, list) else []):
        if isinstance(statement, ast.Raise) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        ):
            yield _pass(place)


def _set(field: str, value: object) -> Callable[..., None]:
    return lambda node: setattr(node, field, value)


def _drop(field: str, place: int) -> Callable[..., None]:
    def edit(node: ast.AST) -> None:
        del getattr(node, field)[place]

    return edit


def _pass(place: int) -> Callable[..., None]:
    def edit(node: ast.AST) -> None:
        getattr(node, "body")[place] = ast.Pass()  # noqa: B009

    return edit


def _double(node: ast.UnaryOp) -> None:
    node.operand = ast.UnaryOp(op=node.op, operand=node.operand)
