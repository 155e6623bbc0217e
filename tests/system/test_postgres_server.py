"""The PostgreSQL that the tests bring: real, and gone with them."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
from tests.postgres import PostgresServer

STARTER = """
import sys, time
from tests.postgres import PostgresServer
with PostgresServer() as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def test_data_and_port_outlive_a_stop() -> None:
    """A server that was stopped and started, or crashed, has its data at the same address."""
    with PostgresServer(durable=True) as server:
        server.execute("CREATE TABLE kept AS SELECT 1 AS one")
        for mode in ("fast", "immediate"):
            server.stop(mode)
            server.start()
            with psycopg.connect(server.url()) as connection:
                assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]


def test_a_server_dies_with_the_tests() -> None:
    """A killed test run leaves no server behind."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        postmaster = os.pidfd_open(int(starter.stdout.readline()))
        starter.send_signal(signal.SIGKILL)
        ended, _, _ = select.select([postmaster], [], [], 20)
        os.close(postmaster)
    assert ended == [postmaster]
