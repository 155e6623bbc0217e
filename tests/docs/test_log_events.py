"""The table of log events on the operations page has every event of the source, and no other."""

import ast
import re
from collections.abc import Iterator

from tests.processes import ROOT

SOURCE = ROOT / "src" / "taskservice"
PAGE = (ROOT / "docs" / "operations.md").read_text()
TABLE = PAGE.partition("\n| event | level | fields |\n")[2].partition("\n\n")[0]
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
BY_THE_FORMATTER = {"log record could not be formatted"}
"""Events that no logger is called with."""


def events(code: str) -> Iterator[str]:
    """Yield the text of each call of a logger, such as `_log.info("…")`."""
    for node in ast.walk(ast.parse(code)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and re.search(r"(\blog|_log|getLogger\(.+\))$", ast.unparse(node.func.value))
        ):
            arguments = node.args[1:] if node.func.attr == "log" else node.args
            yield from (
                argument.value
                for argument in arguments[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def logged() -> set[str]:
    """Return the events of all modules. A line of gunicorn's own has arguments instead."""
    found = {event for file in SOURCE.rglob("*.py") for event in events(file.read_text())}
    return {event for event in found if "%" not in event}


def listed() -> set[str]:
    """Return the events in the first column of the table."""
    rows = [line.split("|")[1] for line in TABLE.splitlines()[1:]]
    return {event for row in rows for event in re.findall(r"`([^`]+)`", row)}


def test_the_table_has_every_log_event() -> None:
    """An event that was added, renamed or removed is so in the table."""
    assert listed() == logged() | BY_THE_FORMATTER


def test_each_way_to_log_is_found() -> None:
    """The level may be in the name of the method, or the first argument."""
    code = '_log.info("a")\nself.log.exception("b")\n_log.log(level, "c", extra={})\nmath.log("d")'
    assert [*events(code)] == ["a", "b", "c"]
    assert [*events('logging.getLogger("x").error("e")\ncatalog.info("f")')] == ["e"]
