"""The corpus against the application in process, on memory, SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.homes import served_engine
from tests.hostile.case import Case
from tests.hostile.corpus import CORPUS
from tests.hostile.flavours import corpus_app, world_over
from tests.hostile.wire import in_process
from tests.hostile.world import World

from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.sql.storage.task_service import SqlTasks


@pytest.fixture(scope="module")
def worlds(addresses: dict[str, str], flavour: dict[str, str]) -> Iterator[dict[str, World]]:
    """A world on each adapter, by name."""
    homes = {"memory": InMemoryTasks().open_tasks}
    with ExitStack() as stack:
        for name, address in addresses.items():
            engine = served_engine(address)
            stack.callback(engine.dispose)
            homes[name] = SqlTasks(engine).open_tasks
        yield {
            name: world_over(in_process(corpus_app(open_tasks, **flavour)), flavour)
            for name, open_tasks in homes.items()
        }


@pytest.mark.parametrize(
    "case", [case for case in CORPUS if not case.by_server], ids=lambda case: case.name
)
def test_every_adapter_answers_as_the_corpus_says(worlds: dict[str, World], case: Case) -> None:
    """The answer is the one of the entry, the same on every adapter, and nothing else happens."""
    answers = {name: world.put_to_the_test(case).masked() for name, world in worlds.items()}
    assert answers["sqlite"] == answers["memory"]
    assert answers["postgresql"] == answers["memory"]
