"""Databases that are put back to an earlier state, and the clients that followed the later one."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.faults.checker import missed
from tests.faults.follower import Copy
from tests.faults.http_client import HttpClient
from tests.faults.postgres_crashes import Restore
from tests.faults.requests import Request
from tests.faults.rows import snapshot
from tests.faults.targets import Target
from tests.faults.violations import Violation
from tests.processes import client

Save = Callable[[Target, Path], Restore]


def dump(target: Target, folder: Path) -> Restore:
    """Dump the database with `pg_dump`, and return what restores it while nothing serves."""
    assert target.database is not None
    address, file = target.database.superuser, str(folder / "dump")
    client(folder, "pg_dump", "--format=custom", f"--file={file}", address)

    def restore() -> None:
        target.server.stop()
        client(folder, "pg_restore", "--clean", f"--dbname={address}", file)
        target.server.start()

    return restore


def copy_files(target: Target, _: Path) -> Restore:
    """Copy the files of the stopped server."""
    assert target.postgres_server is not None
    return target.postgres_server.copy_files()


def keep_standby(target: Target, _: Path) -> Restore:
    """Have a standby replicate what is there, and stop it."""
    assert target.postgres_server is not None
    return target.postgres_server.keep_standby()


SAVES: dict[str, Save] = {"dump": dump, "files": copy_files, "standby": keep_standby}


class User:
    """One user who writes, and a client of theirs that follows the changes."""

    def __init__(self, target: Target, name: str) -> None:
        self._target = target
        self._name = name
        self._count = 0
        self.copy = Copy()

    def create(self, title: str) -> str:
        """Create a task; return its id."""
        return self._write(Request("", "create", self._name, title=title, completed=False))

    def update(self, task: str, title: str) -> None:
        """Give a task another title."""
        self._write(Request("", "update", self._name, task, title=title))

    def read_page(self, limit: int) -> int:
        """Ask for the next page; return the status."""
        with closing(HttpClient(*self._target.place, self._name)) as send:
            page = send.changes(self.copy.token, limit)
        if page.response.status == 200:
            self.copy = self.copy.applied(page)
            self.is_behind = page.more
        return page.response.status

    def sync(self, limit: int = 100) -> int:
        """Follow to the end; return the last status."""
        while (status := self.read_page(limit)) == 200 and self.is_behind:
            pass
        return status

    def missed(self) -> list[Violation]:
        """Return what the client has otherwise than the database."""
        rows = snapshot(self._target.rows, [self._name])
        return [*missed(self._name, self.copy.entities, rows)]

    def _write(self, request: Request) -> str:
        self._count += 1
        with closing(HttpClient(*self._target.place, self._name)) as send:
            response = send(request._replace(name=f"{self._name}-{self._count}"))
        assert response.outcome == "ok", response
        return response.seen[0].task


class Outcome(NamedTuple):
    """What a client hears after the restore, and what it has otherwise than the database then."""

    status: int
    missed: list[Violation]


def _followed(user: User) -> Outcome:
    status = user.sync()
    return Outcome(status, user.missed())


def restored_before(user: User, save: Callable[[], Restore]) -> Outcome:
    """Restore what is older than the token."""
    user.create("kept")
    restore = save()
    user.create("undone")
    user.sync()
    restore()
    return _followed(user)


def restored_after(user: User, save: Callable[[], Restore]) -> Outcome:
    """Restore what is newer than the token."""
    user.create("kept")
    user.sync()
    user.create("kept too")
    restore = save()
    user.create("undone")
    restore()
    return _followed(user)


def restored_between(user: User, save: Callable[[], Restore]) -> Outcome:
    """Restore what is newer than the token, and older than what its page showed."""
    user.sync()
    task = user.create("kept")
    user.create("kept too")
    restore = save()
    user.update(task, "undone")
    user.read_page(limit=1)
    restore()
    return _followed(user)


def written_again(user: User, save: Callable[[], Restore]) -> Outcome:
    """Restore what is older than the token, and make other changes under the same numbers."""
    task = user.create("kept")
    restore = save()
    user.update(task, "undone")
    user.sync()
    restore()
    user.create("another")
    user.create("one more")
    return _followed(user)
