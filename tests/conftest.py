"""What every test may use."""

import os
import secrets
from collections.abc import Callable, Iterator
from time import tzset
from typing import Any

import pytest
from hypothesis import Phase, settings
from tests.postgres import Databases, given_or_own_server
from xdist.scheduler import LoadFileScheduling

from taskservice.testing.fixtures import clock

# What listens on this machine is reached directly, whatever proxy the environment names.
_direct = filter(None, (os.environ.get("no_proxy"), "127.0.0.1", "localhost", "::1"))
os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(_direct)

# Hypothesis draws the same in every run, as it does by itself under CI; `fuzz` draws at random.
settings.load_profile("ci")
settings.register_profile("no-shrinking", phases=(Phase.explicit, Phase.generate))
settings.register_profile("fuzz", settings.get_profile("ci"), derandomize=False, max_examples=5_000)

__all__ = ["clock"]

pytest_plugins = ["tests.statement_audit", "tests.canaries"]

SEED = pytest.StashKey[int]()
REPORTED = "told"
LONGEST = {"docs", "fuzz", "faults", "testing"}


class WholeFiles(LoadFileScheduling):  # type: ignore[misc]
    """Gives each process whole files, and the documentation to one, which builds it once."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "tests/docs" if file.startswith("tests/docs/") else file


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cases", type=int, default=1000, help="requests to fuzz each engine with, at least"
    )
    parser.addoption("--cycles", type=int, help="faults to strike each target with; else each once")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Settle what fuzzing draws from: the seed that is given, or one for the profile."""
    drawn = 0 if settings().derandomize else secrets.randbits(32)
    config.stash[SEED] = int(config.getoption("--hypothesis-seed") or drawn)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: processes that share the others end together."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "WholeFiles":
    return WholeFiles(config, log)


def pytest_report_header(config: pytest.Config) -> str:
    return f"fuzzing: {config.getoption('--cases')} cases, --hypothesis-seed={config.stash[SEED]}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests told: reports carry it here from the processes that ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, line in getattr(report, "user_properties", ()):
                if name == REPORTED and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {line}")


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Tell whoever runs the tests what came of them: it is a line below theirs."""
    return lambda line: record_property(REPORTED, str(line))


@pytest.fixture(scope="session")
def cases(pytestconfig: pytest.Config) -> int:
    """How many requests to fuzz each engine with, at least."""
    return int(pytestconfig.getoption("--cases"))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """What fuzzing draws from."""
    return pytestconfig.stash[SEED]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """A real PostgreSQL, for the whole run."""
    with given_or_own_server() as server:
        yield server


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in another zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XYZ-9:30")
        tzset()
        yield
    tzset()
