"""The corpus against gunicorn as it is deployed, on SQLite and PostgreSQL, byte by byte."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.hostile.case import Case
from tests.hostile.corpus import CORPUS
from tests.hostile.flavours import corpus_app, corpus_service, to_its_end, world_over
from tests.hostile.wire import in_process, over_socket
from tests.hostile.world import World
from tests.processes import Service
from tests.support import SECRET

from taskservice.adapters.memory import InMemoryTasks


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, addresses: dict[str, str], flavour: dict[str, str]
) -> Iterator[dict[str, Service]]:
    """gunicorn over each database, by name."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                corpus_service(tmp_path_factory.mktemp(name), address, **flavour)
            )
            for name, address in addresses.items()
        }


@pytest.fixture(scope="module")
def worlds(services: dict[str, Service], flavour: dict[str, str]) -> dict[str, World]:
    return {
        name: world_over(over_socket(service.address), flavour)
        for name, service in services.items()
    }


@pytest.fixture(scope="module")
def reference(flavour: dict[str, str]) -> World:
    """A world in process, over memory: what the socket must be the same as."""
    app = corpus_app(InMemoryTasks().open_tasks, **flavour)
    return world_over(in_process(app), flavour)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_gunicorn_answers_as_the_corpus_says(
    worlds: dict[str, World], reference: World, case: Case
) -> None:
    """The answer is the one of the entry, on either engine; but for gunicorn's own, as in process.

    Nothing else happens: one request, one answer, and no list that fails.
    """
    answers = {name: world.put_to_the_test(case).masked() for name, world in worlds.items()}
    assert answers["postgresql"] == answers["sqlite"]
    if not case.by_server:
        assert answers["sqlite"] == reference.put_to_the_test(case).masked()


def test_the_log_tells_of_no_defect_and_no_secret(services: dict[str, Service]) -> None:
    """After the whole corpus: each line is one JSON object, with no traceback, secret or token."""
    for service in services.values():
        assert service("GET", "/api/tasks/ada/tasks").status == 401
        log = to_its_end(service)
        lines = [json.loads(line) for line in log.splitlines()]
        assert all(isinstance(line, dict) and line["event"] for line in lines)
        assert len([line for line in lines if line["event"] == "request answered"]) > len(CORPUS)
        assert '"reason": "no bearer token"' in log
        for word in ("Traceback", "defect", "Error handling request", SECRET, "eyJ", "\nforged"):
            assert word not in log
