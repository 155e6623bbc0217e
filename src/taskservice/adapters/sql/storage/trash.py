"""SQL of the trash: moves a row there, or back, and logs that as one change."""

from typing import Any

from sqlalchemy import Uuid, bindparam

from taskservice.adapters.sql.connection.compiled_statements import OWNER
from taskservice.adapters.sql.storage.log import CHANGE_TIME, Values, logged_move
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.core.trashed_task import TrashedTask

_task, _trashed = mapping_of(Task), mapping_of(TrashedTask)
_root = bindparam("trashed_with", type_=Uuid())


def _trashed_row(columns: Any) -> Values:
    """Return the row of the trash for one of tasks."""
    row = {name: columns[name] for name in fields_of(Task)}
    return {**row, "user_id": OWNER, "trashed_at": CHANGE_TIME, "trashed_with": _root}


TRASH = logged_move(
    _task.deleted, _trashed.table, _trashed_row, Task.type_name, Task.change_type("removed")
)
RESTORE = logged_move(_trashed.deleted, _task.table, lambda _: _task.new_row, Task.type_name)
