"""What the OpenAPI document says is what the service does, whatever is sent to it."""

import logging
from collections.abc import Callable

import pytest
from hypothesis import settings
from schemathesis.engine import Status
from tests.fuzz.peers import TRIES, Peers
from tests.fuzz.schemathesis_run import Run, World, fuzz

from taskservice.adapters.http.api.commands import OPERATIONS as COMMANDS

OPERATIONS = {
    "GET /api/tasks/{user_id}/tasks",
    "POST /api/tasks/{user_id}/tasks",
    "GET /api/tasks/{user_id}/tasks/{task_id}",
    "PUT /api/tasks/{user_id}/tasks/{task_id}",
    "PATCH /api/tasks/{user_id}/tasks/{task_id}",
    "PATCH /api/tasks/{user_id}/tasks/{task_id}/complete",
    "PATCH /api/tasks/{user_id}/tasks/{task_id}/position",
    "DELETE /api/tasks/{user_id}/tasks/{task_id}",
    "GET /api/tasks/{user_id}/lists",
    "POST /api/tasks/{user_id}/lists",
    "GET /api/tasks/{user_id}/lists/{list_id}",
    "PATCH /api/tasks/{user_id}/lists/{list_id}",
    "PATCH /api/tasks/{user_id}/lists/{list_id}/position",
    "DELETE /api/tasks/{user_id}/lists/{list_id}",
    "GET /api/tasks/{user_id}/labels",
    "PATCH /api/tasks/{user_id}/labels",
    "POST /api/tasks/{user_id}/batch",
    "GET /api/tasks/{user_id}/changes",
    "GET /api/tasks/{user_id}/trash",
    "DELETE /api/tasks/{user_id}/trash",
    "GET /api/tasks/{user_id}/trash/{task_id}",
    "DELETE /api/tasks/{user_id}/trash/{task_id}",
    "POST /api/tasks/{user_id}/trash/{task_id}/restore",
    "GET /api/tasks/{user_id}/tasks/{task_id}/history",
    "POST /api/tasks/{user_id}/tasks/{task_id}/undo",
    "GET /api/tasks/{user_id}/summary",
}
PUBLIC = {"GET /livez", "GET /readyz"}
PHASES = {"examples", "coverage", "fuzzing", "stateful"}
CHECKS = {
    "allow_header_conformance",
    "content_type_conformance",
    "ensure_resource_availability",
    "ignored_auth",
    "missing_required_header",
    "negative_data_rejection",
    "not_a_server_error",
    "object_level_authorization",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
}


def test_the_service_keeps_to_its_document(
    world: World,
    cases: int,
    seed: int,
    tell: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All that is drawn from the document is answered as the document says, and never by a 5xx.

    Whatever Ada makes, Bob cannot tell from what does not exist, and nothing
    of his is ever shown to her.
    """
    caplog.set_level(logging.ERROR)
    peers = Peers(world.app)
    derandomize = settings().derandomize
    run = fuzz(world, peers, cases=cases, seed=seed, derandomize=derandomize)
    tell(f"{run.statuses.total()} requests were answered {dict(sorted(run.statuses.items()))}")
    tell(f"commands of batches were answered {dict(sorted(run.commands.items()))}")
    assert not run.faults, "\n\n".join(run.faults[:10])
    assert not peers.faults, "\n\n".join(peers.faults[:10])
    assert not [status for status in run.statuses if status >= 500]
    assert not [one for one in run.commands if one[1] >= 500]
    check_that_it_ran(run, cases)
    check_that_bob_tried(peers, run)


def check_that_it_ran(run: Run, cases: int) -> None:
    """Assert that nothing was left out: a run that tests nothing finds nothing."""
    assert run.statuses.total() >= cases
    assert {name: run.phases[name] for name in PHASES} == dict.fromkeys(PHASES, Status.SUCCESS)
    assert run.checks.keys() == CHECKS
    assert {label for label, count in run.succeeded.items() if count} == OPERATIONS | PUBLIC
    assert {label for label, count in run.fuzzed.items() if count >= run.examples} == OPERATIONS
    assert run.scenarios >= run.examples
    assert {(op, one.status) for op, one in COMMANDS.items()} <= run.commands.keys()


def check_that_bob_tried(peers: Peers, run: Run) -> None:
    """Assert that Bob did as he should have, and was refused in the three ways that there are.

    Some of the creations that are drawn are refused, as their values do not agree.
    """
    for name, tries in TRIES.items():
        assert len(peers.tried[name]) >= run.examples // 2
        statuses = [received.status for received in peers.at_missing[name]]
        assert statuses == [*[404] * (len(tries) - 2), 422, 200, *[403] * len(tries)]
