"""Mapping of a type of entities to its table: the statements, and the conversion of rows."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Statement
from taskservice.adapters.sql.storage.log import (
    logged_delete,
    logged_insert,
    logged_update,
)
from taskservice.adapters.sql.tables import STORED_TABLES
from taskservice.core.changes import kind_of
from taskservice.core.entity import Entity
from taskservice.core.fields import cached, fields_of

IMMUTABLE = {"id", "user_id", "created_at"}
"""Fields that no update writes."""


class EntityMapping:
    """The statements on the table of a type of entities, each filtered by the owner."""

    def __init__(self, entity_type: type[Entity]) -> None:
        self.entity_type = entity_type
        self.table = STORED_TABLES[entity_type]
        self.field_columns = [self.table.c[name] for name in fields_of(entity_type)]
        self._properties = self.table.c.keys() - fields_of(entity_type).keys()
        mutable = [one.name for one in self.table.c if one.name not in IMMUTABLE]
        self._new_names = {f"new_{name}": name for name in mutable}
        self.from_row = _row_constructor(entity_type)
        self.is_own = self.table.c.user_id == OWNER
        own = and_(self.is_own, self.table.c.id == bindparam("entity_id"))
        own_version = and_(own, self.table.c.version == bindparam("expected_version"))
        created, removed = map(entity_type.change_type, ("created", "removed"))
        self.new_row = self._new_row()
        self.insert = logged_insert(self.table, self.new_row, created)
        self.select = Statement(select(*self.field_columns).where(own))
        new_values: dict[str, Any] = {one: bindparam(new) for new, one in self._new_names.items()}
        updated = update(self.table).where(own_version).values(new_values)
        self.update = logged_update(updated, kind_of(created))
        self.deleted = delete(self.table).where(own_version)
        self.delete = logged_delete(self.deleted, removed)

    def insert_parameters(self, entity: Entity) -> dict[str, Any]:
        """Return the parameters of `insert`, but for the owner."""
        values = {**vars(entity), **{name: getattr(entity, name) for name in self._properties}}
        del values["user_id"]
        return values

    def update_parameters(self, before: Entity, after: Entity) -> dict[str, Any]:
        """Return the parameters of `update`, which replaces the version of `before`."""
        values = {new: getattr(after, name) for new, name in self._new_names.items()}
        return {**self.version_parameters(before), **values}

    @staticmethod
    def version_parameters(entity: Entity) -> dict[str, Any]:
        """Return the parameters of `delete`."""
        return {"entity_id": entity.id, "expected_version": entity.version}

    def _new_row(self) -> dict[str, Any]:
        parameters = {one.name: bindparam(one.name, type_=one.type) for one in self.table.c}
        return parameters | {"user_id": OWNER}


@cached
def mapping_of(entity_type: type[Entity]) -> EntityMapping:
    """Return the mapping of a type of entities."""
    return EntityMapping(entity_type)


def _row_constructor(entity_type: type[Entity]) -> Callable[[Sequence[Any]], Any]:
    """Return a function from a row of the fields, in their order, to an entity.

    It is generated, as those of dataclasses are. The constructor of a frozen
    dataclass, or a loop over the fields, takes twice as long.
    """
    names = fields_of(entity_type)
    source = f"""
def from_row(row):
    entity = new(entity_type)
    values = vars(entity)
    {", ".join(f"values[{name!r}]" for name in names)}, = row
    return entity
"""
    namespace: dict[str, Any] = {"new": object.__new__, "entity_type": entity_type}
    exec(source, namespace)  # noqa: S102
    constructor: Callable[[Sequence[Any]], Any] = namespace["from_row"]
    return constructor
