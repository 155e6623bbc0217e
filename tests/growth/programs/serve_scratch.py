"""Serves the package of this folder over a storage: `python -m serve_scratch STORAGE`.

STORAGE is "memory", or the address of a database, in which the tables are made from the metadata.
"""

import os
import sys
from pathlib import Path

from sqlalchemy import text
from werkzeug.serving import make_server

import taskservice
from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.schema import VERSION_TABLE, VERSIONS
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import metadata
from taskservice.app import create_app
from taskservice.cli.options import checked_engine
from taskservice.config import NO_LIMIT, Settings
from taskservice.core.workspace import OpenWorkspace

assert Path(taskservice.__file__).parent == Path.cwd() / "taskservice"


def open_storage(storage: str) -> OpenWorkspace:
    """Return the port over a storage."""
    if storage == "memory":
        return InMemoryStorage().open_workspace
    make_tables(storage)
    return SqlStorage(checked_engine(storage)).open_workspace


def make_tables(address: str) -> None:
    """Make the tables that are missing, and say that the schema is current."""
    with unpooled_engine(database_url(address)).connect() as connection:
        metadata.create_all(connection)
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (version_num TEXT)"))
        connection.execute(text(f"DELETE FROM {VERSION_TABLE}"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('{VERSIONS[-1]}')"))


def serve(open_workspace: OpenWorkspace) -> None:
    """Serve the application, without a rate limit."""
    secret = os.environ["TASKSERVICE_JWT_SECRET"]
    settings = Settings(database_url="", jwt_secret=secret, rate_limit=NO_LIMIT)
    server = make_server("127.0.0.1", 0, create_app(open_workspace, settings), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


if __name__ == "__main__":
    serve(open_storage(sys.argv[1]))
