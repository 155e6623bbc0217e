"""Statements that are written with SQLAlchemy, compiled once, and run by the driver's own cursor.

What SQLAlchemy does at each execution takes longer than the driver and the
database together (docs/performance.md). So it writes the SQL, says how values
are converted, and lends the connection; the driver does the rest.
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
    Table,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from taskservice.adapters.sql.connection.errors import is_disconnect
from taskservice.adapters.sql.tables import UtcTime

OWNER_SETTING = "taskservice.owner"

Core = Select[Any] | Insert | Update | Delete
Order = Callable[[Any], Sequence[ColumnElement[Any]]]
Convert = Callable[[Any], Any]
SettingsStatement = tuple[str, tuple[str, ...]]
"""A statement of settings, and its values."""

OWNER: ColumnElement[str] = bindparam("owner", type_=String())
"""The owner, whom every statement names."""

_CURSOR = "taskservice_cursor"

_NOTHING: ColumnElement[int] = literal_column("0")
_set = func.set_config(literal_column(f"'{OWNER_SETTING}'"), OWNER, true())
_told = select(_set.label("owner")).offset(_NOTHING).subquery("told")


class Session(NamedTuple):
    """A connection in the name of one owner.

    Where the session with PostgreSQL `is_direct` alone, each statement tells it
    of the owner itself, and moments come in UTC; or else what is sent `ahead`
    tells of the owner, in the same round trip.
    """

    connection: Connection
    owner: str
    ahead: SettingsStatement | None = None
    is_direct: bool = False


class Statement:
    """A statement about the rows of `OWNER`, with other parameters by name.

    What it finds comes in an `order` of its columns, or goes `into` a table.
    Raises SQLAlchemy's `DBAPIError`.
    """

    def __init__(
        self, core: Core, *, order: Order = lambda _: (), into: Table | None = None
    ) -> None:
        self._core = core
        self._order = order
        self._into = into
        self._compiled: dict[tuple[str, bool], _Compiled] = {}

    def rows(self, session: Session, **values: Any) -> list[Sequence[Any]]:
        """Return the rows, each with its values in the order of the columns."""
        compiled, cursor = self._run(session, values)
        return compiled.converted(_fetched(session.connection, compiled.sql, cursor))

    def count(self, session: Session, **values: Any) -> int:
        """Return how many rows were written."""
        return int(self._run(session, values)[1].rowcount)

    def _run(self, session: Session, values: dict[str, Any]) -> "tuple[_Compiled, Any]":
        connection, owner, ahead, is_direct = session
        compiled = self._for(connection.dialect, is_direct)
        bound = compiled.bound(owner=owner, **values)
        return compiled, execute(connection, compiled.sql, bound, None if compiled.tells else ahead)

    def _for(self, dialect: Dialect, is_direct: bool) -> "_Compiled":
        key = dialect.name, is_direct
        if key not in self._compiled:
            tells = is_direct and isinstance(self._core, Select)
            whole = self._whole(tells)
            self._compiled[key] = _Compiled.of(whole, tells, dialect, is_utc=is_direct)
        return self._compiled[key]

    def _whole(self, tells: bool) -> Core:
        """Return the statement as it is sent; it `tells` PostgreSQL of the owner, or does not."""
        core = self._core
        if not isinstance(core, Select):
            return core
        core = core.order_by(*self._order(core.selected_columns))
        behind = core.where(_told.c.owner == OWNER) if tells else core
        if self._into is not None:
            return self._into.insert().from_select([*self._into.c.keys()], behind)
        return self._found(behind) if tells else behind

    def _found(self, behind: Select[Any]) -> Select[Any]:
        """Return what looks at no row before PostgreSQL was told of the owner.

        A lateral subquery is computed for each row of what it refers to, and
        after that row; `OFFSET 0` keeps PostgreSQL from taking either apart.
        """
        found = behind.offset(_NOTHING).correlate(_told).lateral("found")
        joined = select(found).select_from(_told.join(found, true()))
        return joined.order_by(*self._order(found.c))


class _Compiled(NamedTuple):
    """A statement in the words of one dialect, and what converts its parameters and its results."""

    sql: str
    tells: bool
    constants: Mapping[str, Any]
    parameters: Mapping[str, Convert]
    results: Mapping[int, Convert]

    @classmethod
    def of(cls, core: Core, tells: bool, dialect: Dialect, *, is_utc: bool) -> Self:
        """Compile `core`; where the database `is_utc`, moments are right as they come."""
        compiled = core.compile(dialect=dialect)
        constants = {
            name: parameter.value
            for parameter, name in compiled.bind_names.items()
            if not parameter.required
        }
        parameters = {
            name: convert
            for parameter, name in compiled.bind_names.items()
            if (convert := parameter.type.dialect_impl(dialect).bind_processor(dialect))
        }
        results = {
            place: convert
            for place, column in enumerate(core.exported_columns)
            if not (is_utc and isinstance(column.type, UtcTime))
            and (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
        }
        return cls(str(compiled), tells, constants, parameters, results)

    def bound(self, **given: Any) -> dict[str, Any]:
        """Return the parameters as the driver takes them."""
        values = {**self.constants, **given}
        for name, convert in self.parameters.items():
            values[name] = convert(values[name])
        return values

    def converted(self, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return rows as the driver gives them with values as the types say."""
        return [self._converted(list(row)) for row in rows] if self.results else rows

    def _converted(self, row: list[Any]) -> list[Any]:
        for place, convert in self.results.items():
            row[place] = convert(row[place])
        return row


def execute(
    connection: Connection, sql: str, values: Any, ahead: SettingsStatement | None = None
) -> Any:
    """Return the driver's cursor after it has executed `sql`, and `ahead` before it.

    What was found must be taken before the connection executes anything else.
    Both go in one round trip and are one transaction, where the connection
    commits by itself. Who listens to the engine's `before_cursor_execute` and
    `after_cursor_execute` hears of `sql`, without a context. Raises `DBAPIError`.
    """
    pooled = connection.connection
    cursor = _cursor(pooled)
    listening = connection.engine.dispatch
    for listener in listening.before_cursor_execute:
        sql, values = listener(connection, cursor, sql, values, None, False)
    try:
        if ahead is None:
            cursor.execute(sql, values)
        else:
            driver: Any = pooled.driver_connection
            with driver.pipeline():
                driver.execute(*ahead)
                cursor.execute(sql, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_does(connection, sql, error) from error
    for listener in listening.after_cursor_execute:
        listener(connection, cursor, sql, values, None, False)
    return cursor


def _fetched(connection: Connection, sql: str, cursor: Any) -> Any:
    """Return what is found, which SQLite looks for only now. Raises `DBAPIError`."""
    try:
        return cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_does(connection, sql, error) from error


def _cursor(pooled: PoolProxiedConnection) -> Any:
    """Return the cursor of a connection: one for all, which has learnt how values are converted."""
    if _CURSOR not in pooled.info:
        pooled.info[_CURSOR] = pooled.cursor()
    return pooled.info[_CURSOR]


def _as_sqlalchemy_does(connection: Connection, sql: str, error: Exception) -> BaseException:
    """Return an error of the driver as SQLAlchemy raises it, and drop what it has ended."""
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
