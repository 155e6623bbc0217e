"""Commands of a batch: the operations on tasks that they run, and their results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import ValidationError

from taskservice.adapters.http.api.schemas import TaskCreateSchema, TaskPatchSchema
from taskservice.adapters.http.protocol.bodies import BodySchema
from taskservice.adapters.http.protocol.preconditions import version_precondition
from taskservice.adapters.http.protocol.problems import problem_of
from taskservice.adapters.http.protocol.request_parser import escaped, validation_errors
from taskservice.core.batch import Command, References, Result
from taskservice.core.errors import CommandFailed, FieldError, InvalidEntity, TaskServiceError
from taskservice.core.task import Task
from taskservice.core.tasks import Completion, change_task, complete_task, create_task, remove_task
from taskservice.core.trash import restore_task
from taskservice.core.workspace import OpenOwnWorkspace

Values = Mapping[str, Any]
"""The members of a command."""

UNKNOWN_REF = "must be the ref of a task that an earlier command has created"

_CREATE, _PATCH = TaskCreateSchema(), TaskPatchSchema()


class Operation(NamedTuple):
    """An operation: its function, the status if it succeeds, and the members of its commands.

    If it `has_task`, so has its result.
    """

    run: Callable[[OpenOwnWorkspace, Values], Task | None]
    status: int
    required: Sequence[str]
    optional: Sequence[str] = ()
    has_task: bool = False


def command_of(values: Values) -> Command:
    """Return a command, whose values are checked when it runs."""
    return Command(partial(_run, values), values.get("ref"))


def result_of(operation: Operation, index: int, result: Result) -> dict[str, Any]:
    """Return the result of the command at `index` as JSON."""
    match result:
        case TaskServiceError():
            problem = problem_of(CommandFailed(index, result)).body
            return {"status": problem["status"], "problem": problem}
        case Task():
            task = {"task": result} if operation.has_task else {}
            return {"status": operation.status, **task, "etag": f'"{result.version}"'}
    return {"status": operation.status}


def _run(values: Values, open_workspace: OpenOwnWorkspace, references: References) -> Task | None:
    members = {name: _resolved(name, one, references) for name, one in values.items()}
    return OPERATIONS[values["op"]].run(open_workspace, members)


def _resolved(name: str, value: Any, references: References) -> Any:
    """Return a member with ids in place of references. Raises `InvalidEntity`."""
    if name == "id":
        return UUID(_id(value, references, name)) if isinstance(value, str) else value
    if name in {"task", "changes"} and isinstance(parent := value.get("parent_id"), str):
        return {**value, "parent_id": _id(parent, references, f"{name}/parent_id")}
    return value


def _id(value: str, references: References, path: str) -> str:
    """Return a text, or the id of the task that it refers to."""
    if not value.startswith("$"):
        return value
    if value[1:] not in references:
        raise InvalidEntity([FieldError(path, UNKNOWN_REF)])
    return str(references[value[1:]])


def _create(open_workspace: OpenOwnWorkspace, values: Values) -> Task:
    with _errors_in("task"):
        return create_task(open_workspace, _load(_CREATE, values["task"]))


def _update(open_workspace: OpenOwnWorkspace, values: Values) -> Task:
    condition = version_precondition(values.get("if_match"))
    with _errors_in("changes"):
        edit = _load(_PATCH, values["changes"])
        return change_task(open_workspace, values["id"], edit, condition)


def _complete(open_workspace: OpenOwnWorkspace, values: Values) -> Task:
    condition = version_precondition(values.get("if_match"), optional=True)
    completion = Completion(values.get("completed", True), values.get("time_zone"))
    return complete_task(open_workspace, values["id"], completion, condition)


def _delete(open_workspace: OpenOwnWorkspace, values: Values) -> None:
    condition = version_precondition(values.get("if_match"))
    remove_task(open_workspace, values["id"], condition, with_subtasks="subtasks" in values)


def _restore(open_workspace: OpenOwnWorkspace, values: Values) -> Task:
    condition = version_precondition(values.get("if_match"), optional=True)
    return restore_task(open_workspace, values["id"], condition)


def _load(schema: BodySchema, value: Any) -> Any:
    """Return what a schema loads. Raises `InvalidEntity`, with the paths of the errors."""
    try:
        return schema.load(value)
    except ValidationError as error:
        raise InvalidEntity(
            FieldError("/".join(escaped(path)), detail) for path, detail in validation_errors(error)
        ) from None


@contextmanager
def _errors_in(member: str) -> Iterator[None]:
    """Let the errors of a task name the member of the command that has its fields."""
    try:
        yield
    except InvalidEntity as error:
        errors = [FieldError(f"{member}/{one.field}", one.detail) for one in error.errors]
        raise InvalidEntity(errors) from error


OPERATIONS: Mapping[str, Operation] = {
    "create": Operation(_create, 201, ["task"], ["ref"], has_task=True),
    "update": Operation(_update, 200, ["id", "changes"], ["if_match"], has_task=True),
    "complete": Operation(_complete, 200, ["id"], ["completed", "time_zone", "if_match"]),
    "delete": Operation(_delete, 204, ["id"], ["subtasks", "if_match"]),
    "restore": Operation(_restore, 200, ["id"], ["if_match"], has_task=True),
}
"""The operations by name."""
