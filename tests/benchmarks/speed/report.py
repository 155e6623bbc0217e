"""What was measured, as tables in Markdown."""

from collections.abc import Sequence

from tests.benchmarks.speed.rounds import Lane

HEADINGS = (
    "CPU ratio",
    "of medians",
    "CPU µs",
    "median",
    "application",
    "PostgreSQL",
    "requests/s",
    "rate ratio",
    "p50 ms",
    "p99 ms",
    "p50 ratio",
    "p99 ratio",
    "bad",
)


def table(title: str, lanes: dict[str, Lane]) -> str:
    """Return a table; every ratio is to the first of `lanes`: over 1 is dearer, faster, slower."""
    base = next(iter(lanes.values()))
    lines = [_row(title, HEADINGS), _row("---", ["--:"] * len(HEADINGS))]
    lines += [_row(name, _cells(lane, base)) for name, lane in lanes.items()]
    return "\n".join(lines)


def _cells(lane: Lane, base: Lane) -> list[str]:
    application, database = lane.best_parts
    return [
        f"{lane.best / base.best:.2f}",
        f"{lane.median / base.median:.2f}",
        *(f"{cost:.0f}" for cost in (lane.best, lane.median, application, database)),
        f"{lane.rate:.0f}",
        f"{lane.rate / base.rate:.2f}",
        *(f"{time:.2f}" for time in (lane.p50, lane.p99)),
        *(f"{ratio:.2f}" for ratio in (lane.p50 / base.p50, lane.p99 / base.p99)),
        str(lane.bad),
    ]


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([name, *cells])} |"
