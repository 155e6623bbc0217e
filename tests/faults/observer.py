"""Notes what the database holds, again and again, while clients work and faults strike."""

import itertools
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from tests.faults.background import Background
from tests.faults.history import History
from tests.faults.rows import snapshot

PAUSE = 0.1


class Observer(Background):
    """Notes a snapshot of each user in turn."""

    def __init__(self, rows: Engine, history: History, users: Sequence[str]) -> None:
        super().__init__()
        self._rows = rows
        self._history = history
        self._users = users

    def _run(self) -> None:
        for number in itertools.count():
            for user in self._users:
                self._note(f"{user}-snapshot-{number}", user)
            if self._stop.wait(PAUSE):
                return

    def _note(self, name: str, user: str) -> None:
        """Note one snapshot, unless the database is away."""
        self._history.invoke(name, kind="snapshot", user=user)
        with suppress(DBAPIError):
            seen = snapshot(self._rows, [user])
            return self._history.answer(name, "ok", status=200, seen=seen)
        self._history.answer(name, "fail")
        return None
