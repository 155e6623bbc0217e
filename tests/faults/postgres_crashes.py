"""A PostgreSQL that is killed, put back to an earlier state, or replaced by its standby."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
from tests.postgres import SECONDS, PostgresServer, change_owner, reserved_port

PAUSE = 0.02
Restore = Callable[[], None]


class FragileServer(PostgresServer):
    """A server of our own whose data can be lost in part."""

    def kill(self) -> None:
        """Kill the postmaster, and return when the others have noticed and are gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(SECONDS)
        self._process = None
        deadline = time.monotonic() + SECONDS
        while self._has_processes():
            assert time.monotonic() < deadline, "a process of the server lives on"
            time.sleep(PAUSE)

    def copy_files(self) -> Restore:
        """Copy the files of the stopped server, and return what puts them back."""
        copy = self._directory / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        self.stop()
        shutil.copytree(self._data, copy)
        self.start()
        return lambda: self._replace_data(copy)

    def keep_standby(self) -> Restore:
        """Stop a standby that has all that was committed so far; return what promotes it."""
        standby = self._directory / "standby"
        shutil.rmtree(standby, ignore_errors=True)
        options = [f"--pgdata={standby}", f"--dbname={self.url()}", "--write-recovery-conf"]
        assert self._run("pg_basebackup", *options, "--checkpoint=fast").wait(SECONDS) == 0
        with reserved_port() as port:
            self._follow(standby, port)

        def promote() -> None:
            self._replace_data(standby)
            self.execute("SELECT pg_promote()")

        return promote

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _replace_data(self, other: Path) -> None:
        self.stop()
        shutil.rmtree(self._data)
        other.rename(self._data)
        if os.geteuid() == 0:
            change_owner(self._data)
        self.start()

    def _follow(self, standby: Path, port: int) -> None:
        """Run a standby until it has replayed what is committed now."""
        options = ["-D", str(standby), "--listen_addresses=127.0.0.1", f"--port={port}"]
        process = self._run(
            "postgres", *options, "--unix_socket_directories=", on_death=signal.SIGQUIT
        )
        with psycopg.connect(self.url()) as connection:
            end = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
        deadline = time.monotonic() + SECONDS
        while not _has_replayed(f"postgresql://postgres@127.0.0.1:{port}/postgres", end):
            assert time.monotonic() < deadline, "the standby is behind"
            time.sleep(PAUSE)
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)

    def _has_processes(self) -> bool:
        """Tell whether a process works in the folder of the data."""
        for one in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                if one.readlink() == self._data:
                    return True
        return False


def _has_replayed(standby: str, end: tuple[object, ...] | None) -> bool:
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(standby, connect_timeout=2) as connection,
    ):
        replayed = connection.execute(
            "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn", end
        )
        return replayed.fetchone() == (True,)
    return False
