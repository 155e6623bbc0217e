"""The Python client of `docs/sync.md` keeps a copy in step with a service that runs."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from docs.sync import task_copy
from tests.clients.task_copies import PAGE_SIZE, Scene, TaskCopyContract
from tests.markdown_code import DOCS, code

PAGE = (DOCS / "sync.md").read_text()
FILES = {"python": "task_copy.py", "ts": "task-copy.ts"}

REFUSE_TOKENS = """
CREATE TRIGGER refuse_tokens BEFORE INSERT ON sync BEGIN SELECT RAISE(ABORT, 'no space'); END
"""


class PythonCopy:
    """The client, with a new connection to its file for each run."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def update(self, url: str, token: str) -> bool:
        """Apply all changes; return whether it came to the end."""
        with closing(sqlite3.connect(self._file)) as database:
            try:
                task_copy.update(database, url, token, PAGE_SIZE)
            except HTTPError as error:
                error.close()
                return False
        return True

    def execute(self, statement: str) -> None:
        """Change the file."""
        with closing(sqlite3.connect(self._file)) as database:
            database.executescript(statement)

    def stored(self) -> dict[str, Any]:
        """Return the stored lists and tasks by id."""
        with closing(sqlite3.connect(self._file)) as database:
            rows = database.execute("SELECT id, entity FROM copy").fetchall()
        return {key: json.loads(entity) for key, entity in rows}


class TestPython(TaskCopyContract):
    """The tests of every client, on this one."""

    @pytest.fixture
    def client(self, tmp_path: Path) -> PythonCopy:
        """The client with an empty file."""
        return PythonCopy(tmp_path / "copy.db")

    def test_the_token_is_stored_with_the_copy(self, scene: Scene, client: PythonCopy) -> None:
        """If the token cannot be stored, the copy is as it was, and the changes come again."""
        assert scene.sync()
        copy = client.stored()
        scene.user.create("Not to be missed")
        client.execute(REFUSE_TOKENS)
        with pytest.raises(sqlite3.IntegrityError, match="no space"):
            scene.sync()
        assert client.stored() == copy
        client.execute("DROP TRIGGER refuse_tokens")
        assert scene.sync()
        assert client.stored() == scene.user.everything()


@pytest.mark.parametrize("language", FILES)
def test_the_page_shows_the_client_that_is_tested(language: str) -> None:
    """The file of each client stands whole on the page."""
    assert code(PAGE, language) == [(DOCS / "sync" / FILES[language]).read_text()]
