"""Schemas of a batch: commands, all of one form, and their results."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import ValidationError, fields, post_load, validates_schema

from taskservice.adapters.http.api.commands import (
    OPERATIONS,
    UNKNOWN_REF,
    Operation,
    Values,
    command_of,
)
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.api.schemas import TaskCreateSchema, TaskPatchSchema, TaskSchema
from taskservice.adapters.http.openapi.problems import ProblemSchema
from taskservice.adapters.http.protocol.bodies import BodySchema
from taskservice.adapters.http.protocol.strict_fields import (
    KindField,
    ObjectList,
    ResponseSchema,
    StrictSchema,
    UncheckedObject,
)
from taskservice.core.batch import COMMANDS_LIMIT, Batch
from taskservice.core.kinds import ID_PATTERN, Boolean, Choice, Kind, Reference
from taskservice.core.task import Task
from taskservice.core.zones import TimeZone

_REF_PATTERN = "[A-Za-z0-9_-]{1,64}"
_VERSION_PATTERN = '(?:"[1-9][0-9]{0,9}"|[1-9][0-9]{0,9})'
_is_ref = re.compile(_REF_PATTERN).fullmatch
_is_version = re.compile(_VERSION_PATTERN).fullmatch


@dataclass(frozen=True)
class Ref(Kind):
    """The name of a task that a batch creates."""

    def json_schema(self) -> dict[str, Any]:
        """Return a pattern."""
        return {"type": "string", "pattern": f"^{_REF_PATTERN}$"}

    def check(self, value: str) -> None:
        """Check the characters and the length."""
        if not _is_ref(value):
            raise ValueError("must be 1 to 64 letters, digits, - or _")


@dataclass(frozen=True)
class TaskId(Kind):
    """The id of a task, or `$` and the name of one that the batch creates, as a text."""

    def json_schema(self) -> dict[str, Any]:
        """Return a pattern."""
        return {"type": "string", "pattern": rf"^(?:\${_REF_PATTERN}|{ID_PATTERN})$"}

    def from_json(self, value: object) -> UUID | str:
        """Return the id, or the text."""
        if isinstance(value, str) and value.startswith("$"):
            return value
        return Reference(Task.type_name).from_json(value)


@dataclass(frozen=True)
class Version(Kind):
    """A version, with or without the quotes of an entity tag. The value is the number."""

    def json_schema(self) -> dict[str, Any]:
        """Return a pattern."""
        return {"type": "string", "pattern": f"^{_VERSION_PATTERN}$"}

    def from_json(self, value: object) -> int:
        """Return the number."""
        text: str = super().from_json(value)
        if not _is_version(text):
            raise ValueError("must be a version, such as 3")
        return int(text.strip('"'))


def _parent() -> KindField:
    text = "The task above it, or `$` and the `ref` of one that an earlier command creates."
    return KindField(TaskId(), text, allow_none=True)


class BatchTaskSchema(TaskCreateSchema):  # type: ignore[misc,valid-type]
    """A task to create in a batch."""

    parent_id = _parent()


class BatchChangesSchema(TaskPatchSchema):  # type: ignore[misc,valid-type]
    """The changes of a task in a batch: a JSON merge patch (RFC 7396)."""

    parent_id = _parent()


class BatchCommandSchema(StrictSchema):
    """One operation on a task. Its `op` says which other members it has."""

    op = KindField(Choice(tuple(OPERATIONS)), "The operation.", required=True)
    ref = KindField(Ref(), "For `create`: a name by which later commands refer to the task.")
    id = KindField(
        TaskId(),
        "For all but `create`, required: the id of the task, or `$` and the `ref` of one that an "
        "earlier command creates.",
    )
    task = UncheckedObject(
        BatchTaskSchema, metadata={"description": "For `create`, required: the task to create."}
    )
    changes = UncheckedObject(
        BatchChangesSchema, metadata={"description": "For `update`, required: the changes."}
    )
    completed = KindField(Boolean(), "For `complete`: false reopens the task. The default is true.")
    time_zone = KindField(
        TimeZone(), "For `complete`: the IANA time zone of the caller, as in a completion."
    )
    subtasks = KindField(
        Choice(("delete",)), "For `delete`: `delete` moves the sub-tasks to the trash too."
    )
    if_match = KindField(
        Version(),
        "For all but `create`: the version that the task must have, as in `ETag`, with or without "
        "the quotes.",
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _check_members(self, values: dict[str, Any], given: Values, **_: Any) -> None:
        if "op" in values and (errors := dict(self._member_errors(values["op"], given))):
            raise ValidationError(errors)

    def _member_errors(self, op: str, given: Values) -> Iterator[tuple[str, list[str]]]:
        operation = OPERATIONS[op]
        others = self.fields.keys() - {"op", *operation.required, *operation.optional}
        yield from ((one, ["is required"]) for one in operation.required if one not in given)
        yield from (
            (one, [f"is not a member of the command {op}"]) for one in others & given.keys()
        )


class BatchRequest(NamedTuple):
    """A batch, and the operations of its commands."""

    batch: Batch
    operations: Sequence[Operation]


class BatchSchema(BodySchema):
    """Commands to run in one transaction."""

    mode = KindField(
        Choice(("atomic", "each")),
        "`atomic`: all commands, or if one fails none. `each`: one that fails leaves the others "
        "alone.",
        load_default="atomic",
    )
    dry_run = KindField(
        Boolean(),
        "If true, the results say what would happen, and nothing is changed.",
        load_default=False,
    )
    commands = ObjectList(
        BatchCommandSchema, 1, COMMANDS_LIMIT, "The commands, in their order.", required=True
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_refs(self, values: dict[str, Any], **_: Any) -> None:
        if errors := dict(_ref_errors(values["commands"])):
            raise ValidationError({"commands": errors})

    @post_load
    def _batch(self, values: dict[str, Any], **_: Any) -> BatchRequest:
        commands = values["commands"]
        batch = Batch([*map(command_of, commands)], values["mode"] == "atomic", values["dry_run"])
        return BatchRequest(batch, [OPERATIONS[one["op"]] for one in commands])


def _ref_errors(commands: Sequence[Values]) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Yield the errors of names that are taken, and of ids that are none yet, by index."""
    refs: set[str] = set()
    for index, command in enumerate(commands):
        ref, task_id = command.get("ref"), command.get("id")
        if ref in refs:
            yield index, {"ref": ["is the ref of an earlier command"]}
        if isinstance(task_id, str) and task_id[1:] not in refs:
            yield index, {"id": [UNKNOWN_REF]}
        if ref is not None:
            refs.add(ref)


class BatchCommandResultSchema(ResponseSchema):
    """What became of one command."""

    status = fields.Integer(
        required=True,
        metadata={"description": "The HTTP status that the single operation would have."},
    )
    task = fields.Nested(
        TaskSchema, metadata={"description": "The task, after `create`, `update` and `restore`."}
    )
    etag = fields.String(
        metadata={
            "description": "The version of the task in quotes. Absent if it was deleted, or if "
            "the command failed."
        }
    )
    problem = fields.Nested(
        ProblemSchema, metadata={"description": "Why the command failed, if it did."}
    )


class BatchResultSchema(EntitySchema):
    """What became of a batch."""

    applied = fields.Boolean(
        required=True,
        metadata={"description": "False for a dry run, else true, also if commands failed."},
    )
    results = fields.List(
        fields.Nested(BatchCommandResultSchema),
        required=True,
        metadata={"description": "A result for each command, in their order."},
    )
