"""One run of Schemathesis, in process: all of its phases and checks, on the served document."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
import requests
import schemathesis
from flask import Flask
from schemathesis import Case, HookContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.schemas import BaseSchema
from schemathesis.transport.wsgi import WSGITransport
from tests.fuzz.commands import BatchedTasks, Command, Fitting
from tests.fuzz.peers import Peers

from taskservice.adapters.http.openapi.examples import TASK_ID as EXAMPLE_ID
from taskservice.adapters.http.openapi.headers import REQUEST_HEADERS
from taskservice.testing import ADA

ENUMERATED = 1_400
"""How many requests the document is good for before anything is drawn: examples and coverage."""

CASES_PER_EXAMPLE = 20
"""How many requests more come, at least, of each example that Schemathesis is let draw."""

LEAST_EXAMPLES = 10

DELETION = "DELETE /api/tasks/{user_id}/tasks/{task_id}"

OF_THE_STATE = {
    "/problems/precondition-failed",
    "/problems/key-reused",
    "/problems/sync-expired",
    "/problems/undo-conflict",
}
"""What a request that the document allows is refused with, for what happened before it.

No schema can say which version a task is at, which keys were used, nor which changes are known.
"""


OF_SEVERAL_FIELDS = re.compile(
    "does not agree with status|must not be after due|must be a .*, as due is"
    "|needs a time in due or start|(item [0-9]+ )?is there already, whatever the case"
    "|position needs list_id|needs tasks"
)
"""The errors of values that do not agree with one another, which no schema can say."""

OF_OTHER_ENTITIES = re.compile(
    "is not one of your (task|list)s|is not beside this (task|list)|is in another list"
    "|would be under itself|would be deeper than 10|a user has up to 500 lists"
)
"""The errors of values that do not agree with what is stored."""

OF_THE_CALENDAR = re.compile(
    r"must be a date \(2026-03-29\) .*|must be the name of an IANA time zone .*"
)
"""The errors of a day that its February lacks, and of a name that no time zone has."""

OF_PARTS_OF_A_RULE = re.compile(
    "[A-Z]+ is there twice|COUNT and UNTIL exclude each other|BYMONTHDAY is not taken with .*"
    "|BYDAY may have numbers only with .*|BYDAY must not have numbers beside BYMONTHDAY"
    "|BYSETPOS needs .*|BYSETPOS must be .*, with FREQ=[A-Z]+|UNTIL must be a date .*"
)
"""The errors of parts of a rule that do not go together, and of a day that its February lacks."""

OF_A_RECURRENCE = re.compile(
    "needs due or start|never occurs again|UNTIL must be .*, as there is .*"
    "|must (not )?be null with(out)? a recurrence|must be a .*, as in due and start"
    "|a task that recurs is created open|another open task of the series recurs"
    "|a sub-task does not recur|a task with sub-tasks does not recur"
    "|recurs, and such a task has no sub-tasks|must be null, as a sub-task does not recur"
)
"""The errors of a rule and of the task that is to recur by it."""

OF_THE_HISTORY = re.compile("is not the number of a change of this task, or no longer known")
"""The error of a number that no change of the task has."""

OF_A_COMMAND = re.compile(
    "is not a member of the command [a-z]+|is the ref of an earlier command"
    "|must be the ref of a task that an earlier command has created"
)
"""The errors of a command that has members of another operation, or of another batch."""

MISSING_MEMBER = re.compile(r"/commands/[0-9]+/(task|id|changes) is required")
"""The error of a command that lacks a member of its operation, with its pointer."""

RULES = (
    *(OF_A_COMMAND, OF_THE_HISTORY, OF_SEVERAL_FIELDS, OF_OTHER_ENTITIES, OF_THE_CALENDAR),
    *(OF_PARTS_OF_A_RULE, OF_A_RECURRENCE),
)
EXAMPLE_VERSION = "1"
"""The version of the tasks that a command of the document's examples is about."""

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"]


RECURRENCES = ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2"]


def let_recur(body: dict[str, Any]) -> None:
    """Give most bodies with a rule one that goes with their other members, and a due date."""
    rule, members = body.get("recurrence"), ("occurrence", "status", "completed", "parent_id")
    if rule is None:
        body.pop("occurrence", None)
    elif isinstance(rule, str) and len(rule) % 4:
        body |= {"recurrence": RECURRENCES[len(rule) % len(RECURRENCES)], "due": "2026-03-29"}
        body |= {"start": None, "time_zone": None}
        for name in members:
            body.pop(name, None)


def fit_task(fields: dict[str, Any]) -> None:
    """Let the fields of a task in a batch agree: a task that cannot be is the end of the batch."""
    if "status" in fields:
        fields.pop("completed", None)
    for name in ("list_id", "time_zone", "start"):
        fields.pop(name, None)
    if isinstance(due := fields.get("due"), str):
        fields["due"] = min(due, f"{due[:8]}28")
    if isinstance(labels := fields.get("labels"), list):
        fields["labels"] = [*{one.casefold(): one for one in labels}.values()]
    let_recur(fields)
    if "title" not in fields:
        fields.pop("recurrence", None)


def breaks_rules_only(body: dict[str, Any]) -> bool:
    """Return whether no schema can say what is wrong: see the rules above."""
    errors = body.get("errors", [])
    return bool(errors) and all(breaks_a_rule(**error) for error in errors)


def breaks_a_rule(detail: str, pointer: str = "", parameter: str = "") -> bool:
    """Return whether an error is one that no schema can tell of."""
    is_missing = MISSING_MEMBER.fullmatch(f"{pointer} {detail}") is not None
    return is_missing or any(rule.fullmatch(detail) for rule in RULES)


class World(NamedTuple):
    """A service, and what empties it of every user's tasks and keys."""

    app: Flask
    empty: Callable[[], object]


class Run:
    """What was sent, what was answered, and what was found."""

    def __init__(self, examples: int) -> None:
        self.examples = examples
        self.statuses: Counter[int] = Counter()
        self.succeeded: Counter[str] = Counter()
        self.fuzzed: Counter[str] = Counter()
        self.commands: Counter[tuple[str, int]] = Counter()
        self.scenarios = 0
        self.phases: dict[str, Status] = {}
        self.checks: Counter[str] = Counter()
        self.faults: list[str] = []

    def take_in(self, event: events.EngineEvent) -> None:
        """Note an event of the engine."""
        match event:
            case events.PhaseFinished():
                self.phases[event.phase.name.value] = event.status
            case events.NonFatalError():
                self.faults.append(f"{event.label}: {event.info.title}\n{event.info.message}")
            case events.FatalError():
                raise event.exception
            case events.ScenarioFinished():
                self._take_in_checks(event)

    def _take_in_checks(self, scenario: events.ScenarioFinished) -> None:
        self.scenarios += scenario.phase.value == "stateful"
        for check in (check for all_ in scenario.recorder.checks.values() for check in all_):
            self.checks[check.name] += 1
            if check.failure_info is not None:
                failure, sample = check.failure_info.failure, check.failure_info.code_sample
                self.faults.append(
                    f"{check.name} of {failure.operation}: {failure.message}\n{sample}"
                )


class Tap:
    """Hooks on the document: what goes in is made to count, what comes out is looked at."""

    def __init__(self, run: Run, peers: Peers) -> None:
        self._run = run
        self._peers = peers
        self._numbers = count()
        self._created: dict[str, list[str]] = {"task_id": [], "list_id": []}
        self._trashed: list[str] = []
        self._next_pages: dict[str, dict[str, str]] = {}
        self._cursors: set[str] = set()
        self._tokens: list[str] = []
        self._sequences: dict[str, list[int]] = {}
        self.batched = BatchedTasks()

    def install(self, schema: BaseSchema) -> None:
        """Make these the hooks of `schema`."""
        for hook in (self.map_case, self.after_call, self.filter_failure):
            schema.hooks.register_hook_with_name(hook, hook.__name__)

    def map_case(self, context: HookContext, case: Case[Any]) -> Case[Any]:
        """Return the case, past what would have it refused before its values are looked at.

        With the key that the document gives as an example every request would
        be a repetition of the first, and at the version of the example hardly
        a task is. In place of the id of the example stands that of the last one
        created, or deleted where the trash is asked. No cursor or sync token that is
        drawn is one: one that a page led to is sent instead. Hardly a name that is
        drawn is that of a time zone, hardly a rule that is drawn goes with the other
        members, hardly a number is that of a change of the task, and hardly a command
        has the members that it may.
        """
        headers = case.headers
        if headers.get("Idempotency-Key") == REQUEST_HEADERS["Idempotency-Key"]["example"]:
            headers["Idempotency-Key"] = f"fuzz {next(self._numbers)}"
        if headers.get("If-Match") == REQUEST_HEADERS["If-Match"]["example"]:
            del headers["If-Match"]
        for parameter, ids in self._ids(case).items():
            if case.path_parameters.get(parameter) == EXAMPLE_ID and ids:
                case.path_parameters[parameter] = ids.pop() if case.method == "DELETE" else ids[-1]
        if case.meta and case.meta.generation.mode.is_positive:
            for values in (case.query, case.body):
                name = values.get("time_zone") if isinstance(values, dict) else None
                if isinstance(values, dict) and isinstance(name, str):
                    values["time_zone"] = ZONES[len(name) % len(ZONES)]
            if _is_batch(case):
                self._fit_commands(case)
            elif isinstance(case.body, dict) and _phase(case) != "coverage":
                let_recur(case.body)
            self._go_on(case)
        return case

    def _ids(self, case: Case[Any]) -> dict[str, list[str]]:
        """Return the ids that an operation may be about, by the parameter of its path."""
        is_trash = "/trash" in case.operation.path
        return {"task_id": self._trashed} if is_trash else self._created

    def _go_on(self, case: Case[Any]) -> None:
        """Put what a response had in place of a drawn cursor, token or number of a change."""
        if "cursor" in case.query:
            case.query = dict(self._next_pages.get(case.formatted_path, {}))
        if "since" in case.query and self._tokens:
            case.query["since"] = self._tokens[-1]
        if case.operation.path.endswith("/undo") and isinstance(case.body, dict):
            drawn, known = case.body.get("sequence"), self._sequences.get(_task_id(case))
            if isinstance(drawn, int) and known:
                case.body["sequence"] = known[drawn % len(known)]

    def _fit_commands(self, case: Case[Any]) -> None:
        """Make the commands of a batch fit, with tasks that there are."""
        body: Any = case.body
        fitting = Fitting(self.batched, fit_task)
        body["commands"] = [fitting.fitted(one) for one in body["commands"]]
        for command in body["commands"]:
            if "time_zone" in command:
                command["time_zone"] = ZONES[len(command["time_zone"]) % len(ZONES)]
            if body.get("mode") != "each" and command.get("if_match") != EXAMPLE_VERSION:
                command.pop("if_match", None)

    def after_call(self, context: HookContext, case: Case[Any], response: Response) -> None:
        """Take in an answer."""
        self._run.statuses[response.status_code] += 1
        self._run.fuzzed[case.operation.label] += _phase(case) == "fuzzing"
        self._run.succeeded[case.operation.label] += response.status_code < 300
        for link in response.headers.get("link", []):
            query = link.partition("<?")[2].partition(">")[0]
            following = dict(parse_qsl(query, keep_blank_values=True))
            self._next_pages[case.formatted_path] = following
            self._cursors.add(following["cursor"])
        self._peers.look(response.content)
        if case.operation.path.endswith("/changes") and response.status_code == 200:
            self._tokens.append(response.json()["next"])
        if response.status_code == 201:
            address = response.headers["location"][0]
            self._created["list_id" if "/lists/" in address else "task_id"].append(
                address.rpartition("/")[2]
            )
            self._peers.let_bob_try(address)
        if _is_batch(case) and response.status_code == 200:
            self._take_in_batch(case.body, response)
        elif response.status_code in {200, 204}:
            self._follow(case, response)
        if response.status_code < 300 and _task_id(case):
            self._sequences[_task_id(case)] = self._peers.sequences(_task_id(case))

    def _take_in_batch(self, body: Any, response: Response) -> None:
        """Note what became of commands, and let Bob try a task that one of them created."""
        commands: list[Command] = body["commands"]
        answer = response.json()
        for command, result in zip(commands, answer["results"], strict=True):
            self._run.commands[command["op"], result["status"]] += 1
        if answer["applied"] and "idempotency-replayed" not in response.headers:
            self.batched.take_in(commands, answer["results"])
            for task_id in self.batched.made[-1:]:
                self._peers.let_bob_try(f"/api/tasks/{ADA}/tasks/{task_id}")
            for task_id in self.batched.trashed[-1:]:
                self._peers.let_bob_try(f"/api/tasks/{ADA}/trash/{task_id}")

    def _follow(self, case: Case[Any], response: Response) -> None:
        """Note a task that is in the trash now, and let Bob try it, or one that was restored."""
        task_id = _task_id(case)
        is_trashed = case.operation.label == DELETION or b'"trashed_at":"' in response.content
        if is_trashed and task_id and case.method != "GET":
            self._trashed.append(task_id)
            self._peers.let_bob_try(f"/api/tasks/{ADA}/trash/{task_id}")
        elif case.operation.path.endswith("/restore"):
            self._created["task_id"].append(task_id)

    def filter_failure(
        self, context: HookContext, failure: Failure, case: Case[Any], response: Response
    ) -> bool:
        """Tell whether a failure is one: see `OF_THE_STATE`; no drawn cursor or token is right.

        A step of a scenario is drawn anew after `map_case` has seen to that.
        """
        if not isinstance(failure, RejectedPositiveData):
            return True
        is_drawn = case.query.get("cursor", "") not in {"", *self._cursors}
        is_drawn |= case.query.get("since") not in {None, *self._tokens}
        excused = OF_THE_STATE | ({"/problems/malformed-request"} if is_drawn else set())
        return response.json()["type"] not in excused and not breaks_rules_only(response.json())


def _task_id(case: Case[Any]) -> str:
    return str(case.path_parameters.get("task_id", "")).lower()


def _is_batch(case: Case[Any]) -> bool:
    return case.operation.path.endswith("/batch") and isinstance(case.body, dict)


def _phase(case: Case[Any]) -> str:
    return case.meta.phase.name.value if case.meta else ""


def fuzz(world: World, peers: Peers, *, cases: int, seed: int, derandomize: bool) -> Run:
    """Send at least `cases` requests of Ada's, and return what came of them."""
    run = Run(examples=max(LEAST_EXAMPLES, (cases - ENUMERATED) // CASES_PER_EXAMPLE))
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "parameters": {"path.user_id": ADA},
            "auth": {"openapi": {"bearer": {"bearer": peers.ada.token}}},
            "generation": {
                "max-examples": run.examples,
                "deterministic": derandomize,
                "database": "none",
            },
            # Ids that were deleted drop out of what is drawn from while it is drawn, at which
            # Hypothesis gives up, and says nothing. The links lead to what can be deleted.
            "operations": [
                {
                    "include-operation-id": operation,
                    "phases": {"fuzzing": {"extra-data-sources": {"responses": False}}},
                }
                for operation in ("delete_task", "delete_list", "purge_task", "restore_task")
            ],
        }
    )
    schema = schemathesis.openapi.from_wsgi("/openapi.json", world.app, config=config)
    tap = Tap(run, peers)
    tap.install(schema)

    def reset() -> None:
        world.empty()
        peers.settle_in()
        tap.batched.clear()

    with taking_settings_of_sockets(), reset_for_each_scenario(schema, reset):
        for event in from_schema(schema).execute():
            run.take_in(event)
    return run


@contextmanager
def taking_settings_of_sockets() -> Iterator[None]:
    """Let the probes of `ignored_auth` run in process.

    They bring settings of a socket, such as `max_redirects`, which the
    transport drops only where a session comes along (seen in 4.32.5).
    """
    send = WSGITransport.send

    def with_session(
        transport: WSGITransport, case: Case[Any], *, session: Any = None, **settings: Any
    ) -> Response:
        return send(transport, case, session=session or requests.Session(), **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGITransport, "send", with_session)
        yield


@contextmanager
def reset_for_each_scenario(schema: BaseSchema, reset: Callable[[], None]) -> Iterator[None]:
    """Begin each scenario of links in an empty service, with Bob's list and task alone.

    Hypothesis repeats the beginning of one in another. Where that is answered
    otherwise than before, it ends the phase early, and says nothing.
    """
    build = schema.build_state_machine

    def build_and_reset(**settings: Any) -> Any:
        class Anew(build(**settings)):  # type: ignore[misc]
            def __init__(self) -> None:
                reset()
                super().__init__()

        return Anew

    reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "build_state_machine", build_and_reset)
        yield
