"""Compiled statements: SQLAlchemy compiles each once, and the driver's own cursor executes it.

Executing through SQLAlchemy takes longer than the driver and the database together
(docs/performance.md). So SQLAlchemy provides the SQL, the type conversions and the
connection, and the driver does the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Insert,
    Select,
    String,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from taskservice.adapters.sql.column_types import UtcDateTime
from taskservice.adapters.sql.connection.errors import is_disconnect

OWNER_SETTING = "taskservice.owner"

Executable = Select[Any] | Insert | Update | Delete
OrderBy = Callable[[Any], Sequence[ColumnElement[Any]]]
Processor = Callable[[Any], Any]
"""Converts a value between Python and the driver, as SQLAlchemy's types do."""
SettingsStatement = tuple[str, tuple[str, ...]]
"""A statement that sets configuration parameters, and their values."""

OWNER: ColumnElement[str] = bindparam("owner", type_=String())
"""The owner, a parameter of every statement."""

_CURSOR = "taskservice_cursor"

_ZERO: ColumnElement[int] = literal_column("0")
_set_owner = func.set_config(literal_column(f"'{OWNER_SETTING}'"), OWNER, true())
_owner_setting = select(_set_owner.label("owner")).offset(_ZERO).subquery("owner_setting")

OWNER_IS_SET: ColumnElement[bool] = select(_set_owner).scalar_subquery() == OWNER
"""A condition that sets the owner, and is true. It is evaluated before the table is read."""


class Session(NamedTuple):
    """A connection on behalf of one owner.

    On PostgreSQL the `preamble` sets the owner in the same round trip as the
    statement. In a session that `is_direct`, a query sets the owner itself, and
    timestamps come in UTC.
    """

    connection: Connection
    owner: str
    preamble: SettingsStatement | None = None
    is_direct: bool = False

    @property
    def is_postgresql(self) -> bool:
        """Whether the database is PostgreSQL, and not SQLite."""
        return self.connection.dialect.name == "postgresql"


class Statement:
    """A statement about the rows of `OWNER`, executed with named parameters.

    `order_by` sorts the result of a query. A direct session executes a query so that it sets
    the owner itself, and any other statement as `direct`, which must do the same. Raise
    SQLAlchemy's `DBAPIError`.
    """

    def __init__(
        self,
        executable: Executable,
        *,
        order_by: OrderBy = lambda _: (),
        direct: Executable | None = None,
    ) -> None:
        self._executable = executable
        self._order_by = order_by
        self._direct = direct
        self._compiled_cache: dict[tuple[str, bool], _Compiled] = {}

    def rows(self, session: Session, **values: Any) -> list[Sequence[Any]]:
        """Return the rows, each with its values in the order of the columns."""
        compiled, cursor = self._execute(session, values)
        return compiled.convert_rows(_fetch_all(session.connection, compiled.sql, cursor))

    def count(self, session: Session, **values: Any) -> int:
        """Return the number of rows written."""
        return int(self._execute(session, values)[1].rowcount)

    def count_all(self, session: Session, values: Sequence[Mapping[str, Any]]) -> int:
        """Execute it with each of the values, which are sent together; return the rows written."""
        compiled = self._compile(session.connection.dialect, session.is_direct)
        parameters = [compiled.parameters(session.owner, one) for one in values]
        if not parameters:
            return 0
        return int(execute(session.connection, compiled.sql, parameters).rowcount)

    def _execute(self, session: Session, values: dict[str, Any]) -> "tuple[_Compiled, Any]":
        connection, owner, preamble, is_direct = session
        compiled = self._compile(connection.dialect, is_direct)
        parameters = compiled.parameters(owner, values)
        return compiled, execute(
            connection, compiled.sql, parameters, None if compiled.sets_owner else preamble
        )

    def _compile(self, dialect: Dialect, is_direct: bool) -> "_Compiled":
        key = dialect.name, is_direct
        if key not in self._compiled_cache:
            is_query = isinstance(self._executable, Select)
            sets_owner = is_direct and (is_query or self._direct is not None)
            executable = self._build(sets_owner)
            self._compiled_cache[key] = _Compiled.of(
                executable, sets_owner, dialect, is_utc=is_direct
            )
        return self._compiled_cache[key]

    def _build(self, sets_owner: bool) -> Executable:
        """Return the complete statement, which sets the owner itself if `sets_owner`."""
        executable = self._executable
        if not isinstance(executable, Select):
            return self._direct if sets_owner and self._direct is not None else executable
        query = executable.order_by(*self._order_by(executable.selected_columns))
        return self._after_setting_owner(query) if sets_owner else query

    def _after_setting_owner(self, query: Select[Any]) -> Select[Any]:
        """Return `query` as a lateral subquery, which PostgreSQL runs after it has set the owner.

        `OFFSET 0` keeps PostgreSQL from flattening the subqueries.
        """
        query = query.where(_owner_setting.c.owner == OWNER)
        result = query.offset(_ZERO).correlate(_owner_setting).lateral("result")
        joined = select(result).select_from(_owner_setting.join(result, true()))
        return joined.order_by(*self._order_by(result.c))


class _Compiled(NamedTuple):
    """A statement compiled for a dialect, with the processors of its parameters and columns."""

    sql: str
    sets_owner: bool
    constants: Mapping[str, Any]
    bind_processors: Mapping[str, Processor]
    result_processors: Mapping[int, Processor]

    @classmethod
    def of(
        cls, executable: Executable, sets_owner: bool, dialect: Dialect, *, is_utc: bool
    ) -> Self:
        """Compile `executable`; timestamps need no conversion if the session `is_utc`."""
        compiled = executable.compile(dialect=dialect)
        constants = {
            name: parameter.value
            for parameter, name in compiled.bind_names.items()
            if not parameter.required
        }
        bind_processors = {
            name: process
            for parameter, name in compiled.bind_names.items()
            if (process := parameter.type.dialect_impl(dialect).bind_processor(dialect))
        }
        result_processors = {
            index: process
            for index, column in enumerate(executable.exported_columns)
            if not (is_utc and isinstance(column.type, UtcDateTime))
            and (process := column.type.dialect_impl(dialect).result_processor(dialect, None))
        }
        return cls(str(compiled), sets_owner, constants, bind_processors, result_processors)

    def parameters(self, owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters as the driver takes them."""
        values = {**self.constants, **given, "owner": owner}
        for name, process in self.bind_processors.items():
            values[name] = process(values[name])
        return values

    def convert_rows(self, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return the driver's rows with the values converted, column by column."""
        converted = [list(row) for row in rows]
        for index, process in self.result_processors.items():
            for row in converted:
                row[index] = process(row[index])
        return converted  # type: ignore[return-value]


def execute(
    connection: Connection, sql: str, values: Any, preamble: SettingsStatement | None = None
) -> Any:
    """Execute `preamble` and `sql` in one round trip, and return the driver's cursor.

    Fetch its rows before the connection executes anything else. On an autocommit
    connection both are one transaction. A list of values executes `sql` with each
    of them, without a preamble. Listeners of the engine's `before_cursor_execute`
    and `after_cursor_execute` get `sql` without a context. Raise `DBAPIError`.
    """
    pooled = connection.connection
    cursor = _cursor(pooled)
    dispatch = connection.engine.dispatch
    is_many = isinstance(values, list)
    for listener in dispatch.before_cursor_execute:
        sql, values = listener(connection, cursor, sql, values, None, is_many)
    try:
        if is_many:
            cursor.executemany(sql, values)
        elif preamble is None:
            cursor.execute(sql, values)
        else:
            driver: Any = pooled.driver_connection
            with driver.pipeline():
                driver.execute(*preamble)
                cursor.execute(sql, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrap_driver_error(connection, sql, error) from error
    for listener in dispatch.after_cursor_execute:
        listener(connection, cursor, sql, values, None, is_many)
    return cursor


def _fetch_all(connection: Connection, sql: str, cursor: Any) -> Any:
    """Return all rows; SQLite reads them only now. Raise `DBAPIError`."""
    try:
        return cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrap_driver_error(connection, sql, error) from error


def _cursor(pooled: PoolProxiedConnection) -> Any:
    """Return the connection's only cursor, which caches how the driver converts values."""
    if _CURSOR not in pooled.info:
        pooled.info[_CURSOR] = pooled.cursor()
    return pooled.info[_CURSOR]


def _wrap_driver_error(connection: Connection, sql: str, error: Exception) -> BaseException:
    """Return a driver error as SQLAlchemy's exception, and invalidate a lost connection."""
    dialect = connection.dialect
    dbapi: Any = connection.connection.dbapi_connection
    is_lost = is_disconnect(error) or dialect.is_disconnect(error, dbapi, None)  # type: ignore[arg-type]
    if is_lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
