"""Whose rows a statement can reach, by PostgreSQL's own grammar."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind, BoolExprType, JoinType, OnConflictAction
from pglast.visitors import Skip, Visitor

OWNED = "(?:tasks|trash|lists|idempotency_keys|heads|changes)(?:_[0-9]+)?"
"""The pattern of the tables that have an owner, and of their partitions."""
_is_owned = re.compile(OWNED).fullmatch

SETTING = "taskservice.owner"

_placeholder = re.compile(r"%\((\w+)\)s|(?<!:):(\w+)|%s|\?|%%")


class UnfilteredStatement(ValueError):
    """A statement that could reach the rows of more than one owner, and why."""


@cache
def owner_parameters(statement: str) -> frozenset[str | int]:
    """Return the parameters, by name or position, that say whose rows `statement` is about.

    Every table with a `user_id`, at every level of the query, is tied to one
    of them by `user_id = parameter` in its level's WHERE or in its join, or takes it as the
    `user_id` of the row that it inserts. So does whoever tells the policies of
    an owner. Raises `UnfilteredStatement` for any other.
    """
    text, parameters = _numbered(statement)
    levels = _Levels()
    levels(parse_sql(text))
    if levels.references != levels.tied:
        raise UnfilteredStatement(f"a table with an owner is not tied to it: {statement}")
    return frozenset(parameters[number - 1] for number in levels.owners)


def _numbered(statement: str) -> tuple[str, list[str | int]]:
    """Return `statement` with PostgreSQL's `$1` for each driver's placeholder, and their keys."""
    keys: list[str | int] = []
    position = count()

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        keys.append(match[1] or match[2] or next(position))
        return f"${len(keys)}"

    return _placeholder.sub(number, statement), keys


class _Levels(Visitor):
    """Visits every level of a query; counts the owned tables, and those that are tied."""

    def __init__(self) -> None:
        super().__init__()
        self.references = 0
        self.tied = 0
        self.owners: set[int] = set()

    def visit_RangeVar(self, _: Any, node: Any) -> None:  # noqa: N802
        self.references += bool(_is_owned(node.relname))

    def visit_GrantStmt(self, _: Any, __: Any) -> Any:  # noqa: N802
        """Reach no row: it says who may."""
        return Skip

    def visit_SelectStmt(self, _: Any, node: Any) -> None:  # noqa: N802
        self._tie(node.fromClause or (), node.whereClause)

    def visit_JoinExpr(self, _: Any, node: Any) -> None:  # noqa: N802
        """Tie a joined table by the condition of its join."""
        if node.jointype in {JoinType.JOIN_INNER, JoinType.JOIN_LEFT}:
            self._tie((node.rarg,), node.quals, alone=False)

    def visit_UpdateStmt(self, _: Any, node: Any) -> None:  # noqa: N802
        if any(target.name == "user_id" for target in node.targetList):
            raise UnfilteredStatement("a row is given to another owner")
        self._tie((node.relation, *(node.fromClause or ())), node.whereClause)

    def visit_DeleteStmt(self, _: Any, node: Any) -> None:  # noqa: N802
        self._tie((node.relation, *(node.usingClause or ())), node.whereClause)

    def visit_InsertStmt(self, _: Any, node: Any) -> None:  # noqa: N802
        conflict = node.onConflictClause
        if conflict and conflict.action != OnConflictAction.ONCONFLICT_NOTHING:
            self._require_own_conflict(conflict)
        if _is_owned(node.relation.relname):
            names = [column.name for column in node.cols or ()]
            chosen = [target.val for target in node.selectStmt.targetList or ()]
            rows = node.selectStmt.valuesLists or [chosen]
            found = {_parameter(row[names.index("user_id")]) for row in rows if "user_id" in names}
            self.owners |= found
            self.tied += bool(found) and 0 not in found

    def _require_own_conflict(self, conflict: Any) -> None:
        """Let a row be updated that has the `user_id` of the row to be inserted."""
        unique = [one.name for one in conflict.infer.indexElems] if conflict.infer else []
        if "user_id" not in unique:
            raise UnfilteredStatement("a conflict may belong to another owner")
        if any(target.name == "user_id" for target in conflict.targetList):
            raise UnfilteredStatement("a row is given to another owner")

    def _tie(self, tables: Any, where: Any, *, alone: bool = True) -> None:
        conditions, alone = list(_conjuncts(where)), alone and len(tables) == 1
        for name in _names(tables):
            found = {number for one in conditions if (number := self._tied_to(one, name, alone))}
            self.owners |= found
            self.tied += bool(found)

    def _tied_to(self, condition: Any, table: str, alone: bool) -> int:
        """Return the number of the parameter in `table.user_id = $n`, 0 where it is no such."""
        if not isinstance(condition, ast.A_Expr) or condition.kind != A_Expr_Kind.AEXPR_OP:
            return 0
        operator = [part.sval for part in condition.name or ()]
        known = [(table, "user_id"), *([("user_id",)] if alone else [])]
        is_own = operator == ["="] and _column(condition.lexpr) in known
        return _parameter(condition.rexpr) if is_own else 0

    def visit_FuncCall(self, _: Any, node: Any) -> None:  # noqa: N802
        arguments: Any = node.args
        if _function(node) == "set_config" and _constant(arguments[0]) == SETTING:
            if not _parameter(arguments[1]) or not _constant(arguments[2]):
                raise UnfilteredStatement(
                    "an owner that is no parameter, or for longer than a transaction"
                )
            self.owners.add(_parameter(arguments[1]))


def _names(tables: Any) -> Iterator[Any]:
    """Yield by which name each owned table of a level is known."""
    for table in tables:
        if isinstance(table, ast.RangeVar) and _is_owned(str(table.relname)):
            yield table.alias.aliasname if table.alias else table.relname


def _conjuncts(where: Any) -> Iterator[Any]:
    if isinstance(where, ast.BoolExpr) and where.boolop == BoolExprType.AND_EXPR:
        for part in where.args or ():
            yield from _conjuncts(part)
    elif where is not None:
        yield where


def _parameter(node: Any) -> int:
    inner = node.arg if isinstance(node, ast.TypeCast) else node
    return int(inner.number or 0) if isinstance(inner, ast.ParamRef) else 0


def _column(node: Any) -> tuple[str | None, ...]:
    return tuple(getattr(part, "sval", None) for part in getattr(node, "fields", ()) or ())


def _function(node: Any) -> str:
    """Return the name of the function that is called, "" if none is."""
    names: Any = getattr(node, "funcname", ())
    return str(names[-1].sval) if names else ""


def _constant(node: Any) -> Any:
    """Return the value of a constant, None where it is none."""
    value = getattr(node, "val", None)
    return getattr(value, "sval", None) or getattr(value, "boolval", None)
