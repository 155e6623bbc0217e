"""The corpus in process: over memory, and on SQLite and PostgreSQL what reaches storage."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product

import pytest
from tests.databases import service_engine
from tests.hostile.case import Case
from tests.hostile.corpus import CORPUS
from tests.hostile.flavours import ENGINES, FLAVOURS, PLAIN, new_database, runner_in_process
from tests.hostile.runner import CorpusRunner
from tests.postgres import Databases

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage

COMBINATIONS = [
    (flavour, case)
    for flavour in FLAVOURS
    for case in CORPUS
    if not case.by_server and (flavour == PLAIN or case.has_origin_or_proxy_header)
]
"""Each entry that reaches the application, in each flavour that can make a difference to it."""


@pytest.fixture(scope="module")
def memory() -> dict[str, CorpusRunner]:
    """A runner over memory, by its flavour."""
    return {
        flavour: runner_in_process(InMemoryStorage().open_workspace, flavour)
        for flavour in FLAVOURS
    }


@pytest.fixture(scope="module")
def databases(
    tmp_path_factory: pytest.TempPathFactory, postgresql: Databases
) -> Iterator[dict[str, list[CorpusRunner]]]:
    """A runner on each engine, by its flavour."""
    runners: dict[str, list[CorpusRunner]] = {flavour: [] for flavour in FLAVOURS}
    with ExitStack() as stack:
        for flavour, engine in product(FLAVOURS, ENGINES):
            folder = tmp_path_factory.mktemp("hostile")
            address = stack.enter_context(new_database(engine, folder, postgresql))
            database = service_engine(address)
            stack.callback(database.dispose)
            runners[flavour].append(runner_in_process(SqlStorage(database).open_workspace, flavour))
        yield runners


@pytest.mark.parametrize(
    ("flavour", "case"),
    [pytest.param(flavour, case, id=f"{flavour}-{case.name}") for flavour, case in COMBINATIONS],
)
def test_every_adapter_answers_as_the_corpus_says(
    memory: dict[str, CorpusRunner],
    databases: dict[str, list[CorpusRunner]],
    flavour: str,
    case: Case,
) -> None:
    """The answer is the one of the entry, the same on every adapter, and nothing else happens.

    What is answered before memory is opened is answered before any other storage is.
    """
    answer = memory[flavour].check(case).masked()
    if memory[flavour].reached_storage:
        for runner in databases[flavour]:
            assert runner.check(case).masked() == answer
