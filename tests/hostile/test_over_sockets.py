"""The corpus against gunicorn as it is deployed, byte by byte.

The default run sends what differs on the wire, on SQLite; `tox -e hostile` the whole corpus, in
each flavour and on each engine.
"""

import json
from collections.abc import Iterator
from itertools import product

import pytest
from tests.hostile import framing
from tests.hostile.case import Case
from tests.hostile.corpus import CORPUS
from tests.hostile.flavours import (
    ENGINES,
    FLAVOURS,
    PLAIN,
    corpus_service,
    make_runner,
    new_database,
    runner_in_process,
    stop_and_read_log,
)
from tests.hostile.runner import CorpusRunner
from tests.hostile.transports import over_socket
from tests.postgres import Databases
from tests.processes import Service
from tests.secret_values import SECRET

from taskservice.adapters.memory import InMemoryStorage

ON_THE_WIRE = [case for case in CORPUS if case.by_server or case in framing.CASES]
"""What gunicorn answers itself, and all else that is about the bytes of a message."""

Deployment = tuple[str, str]
"""A flavour, and an engine."""


def unless(in_default_run: bool) -> list[pytest.MarkDecorator]:
    return [] if in_default_run else [pytest.mark.lengthy]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            deployment, marks=unless(deployment == (PLAIN, "sqlite")), id="-".join(deployment)
        )
        for deployment in product(FLAVOURS, ENGINES)
    ],
)
def deployment(request: pytest.FixtureRequest) -> Deployment:
    flavour, engine = request.param
    return flavour, engine


@pytest.fixture(scope="module")
def service(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory, postgresql: Databases
) -> Iterator[Service]:
    """gunicorn over a new database."""
    flavour, engine = deployment
    folder = tmp_path_factory.mktemp("hostile")
    with (
        new_database(engine, folder, postgresql) as address,
        corpus_service(folder, address, flavour) as service,
    ):
        yield service


@pytest.fixture(scope="module")
def runner(service: Service, deployment: Deployment) -> CorpusRunner:
    flavour, _ = deployment
    return make_runner(over_socket(service.address), flavour)


@pytest.fixture(scope="module")
def reference(deployment: Deployment) -> CorpusRunner:
    """A runner in process, over memory: what the socket must be the same as."""
    flavour, _ = deployment
    return runner_in_process(InMemoryStorage().open_workspace, flavour)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=unless(case in ON_THE_WIRE), id=case.name) for case in CORPUS]
)
def test_gunicorn_responds_as_the_corpus_says(
    runner: CorpusRunner, reference: CorpusRunner, case: Case
) -> None:
    """The answer is the one of the entry; but for gunicorn's own, as in process.

    Nothing else happens: one request, one answer, and no list that fails.
    """
    answer = runner.check(case).masked()
    if not case.by_server:
        assert answer == reference.check(case).masked()


def test_the_log_contains_no_error_and_no_secret(service: Service) -> None:
    """After all entries: each line is one JSON object, with no traceback, secret or token."""
    assert service("GET", "/api/tasks/ada/tasks").status == 401
    log = stop_and_read_log(service)
    lines = [json.loads(line) for line in log.splitlines()]
    assert all(isinstance(line, dict) and line["event"] for line in lines)
    answered = [line for line in lines if line["event"] == "request finished"]
    assert len(answered) > 2 * len(ON_THE_WIRE)
    assert '"reason": "no bearer token"' in log
    for word in (
        "Traceback",
        '"problem": "internal"',
        "Error handling request",
        SECRET,
        "eyJ",
        "\nforged",
    ):
        assert word not in log
