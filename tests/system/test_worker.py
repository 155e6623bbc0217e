"""gunicorn's worker, as we changed it: what no moment can take from it."""

import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gunicorn
import pytest
from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http import errors, wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker
from tests.databases import sqlite_database
from tests.processes import run, write_program
from tests.secret_values import SECRET

from taskservice.server.logger import Log
from taskservice.server.worker import Worker

# A child that is told to stop as soon as it is there, twenty times over, once a start is prepared.
FORKS = """
import os, signal, time
from types import SimpleNamespace
from taskservice.server.gunicorn_conf import on_starting

on_starting(SimpleNamespace(cfg=SimpleNamespace(preload_app=False, worker_tmp_dir=None)))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
for _ in range(20):
    child = os.fork()
    if child == 0:
        time.sleep(5)
        os._exit(1)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == 0, "a child has not heard its signal"
assert not signal.pthread_sigmask(signal.SIG_BLOCK, []), "the parent hears nothing any more"
"""


class Nothing(BaseApplication):
    """An application that is never loaded."""

    def load_config(self) -> None:
        """Keep what gunicorn has by itself."""


def test_a_signal_in_the_middle_of_a_look_at_the_master_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What SIGTERM said while the worker looked for its master is not said over."""

    def interrupted(worker: ThreadWorker) -> bool:
        worker.alive = False  # as the handler of SIGTERM does, between any two instructions
        return True

    monkeypatch.setattr(ThreadWorker, "is_parent_alive", interrupted)
    cfg = Nothing().cfg
    worker = Worker(1, 0, [], None, 30, cfg, Log(cfg))
    try:
        assert not worker.is_parent_alive()
        assert not worker.alive
    finally:
        worker.tmp.close()


def test_a_stop_signal_is_handled_from_the_start(tmp_path: Path) -> None:
    """What comes before the first instruction of a child waits for it."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    result = run(write_program(tmp_path, FORKS), tmp_path, **settings)
    assert (result.returncode, result.stderr) == (0, "")


INTERNAL_NAMES = {
    "worker": "_keepalive_after accept alive booted cfg finish_request handle handle_error "
    "init_process init_signals is_parent_alive load_wsgi log murder_pending nr_conns "
    "pending_conns poller set_accept_enabled sockets tpool wsgi",
    "thread pool": "_work_queue",
    "connection": "close parser sock timeout",
    "parser": "mesg unreader",
    "unreader": "buf mxchunk unread",
    "body": "failed reader",
    "reader by length": "length",
    "reader of chunks": "parser",
    "response": "close force_close start_response",
    "gunicorn.http.wsgi": "Response",
    "gunicorn.http.errors": "NoMoreData ParseException",
    "gunicorn.util": "http_date",
    "arbiter": "SIG_QUEUE WORKER_BOOT_ERROR",
    "logger": "access_log error_log",
}
"""What `taskservice.server` overrides, reads or replaces, and gunicorn does not document."""


def test_gunicorn_has_the_internal_names_that_the_server_uses() -> None:
    """Any release may rename them: `setup.cfg` pins gunicorn (docs/decisions/0018)."""
    app: Any = Nothing()
    app.cfg.set("http_parser", "python")
    server, client = socket.socketpair()
    with closing(server), closing(client):
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        base_app: Any = SimpleNamespace(wsgi=object)
        worker: Any = ThreadWorker(1, 0, [], base_app, 30, app.cfg, logger := Log(app.cfg))
        worker.load_wsgi()
        connection: Any = TConn(app.cfg, server, ("x", 1), ("y", 2))
        connection.init()
        request, chunked = (next(connection.parser) for _ in range(2))
    worker.tmp.close()
    with worker.get_thread_pool() as pool:
        objects: dict[str, Any] = {
            "worker": worker,
            "thread pool": pool,
            "connection": connection,
            "parser": connection.parser,
            "unreader": connection.parser.unreader,
            "body": request.body,
            "reader by length": request.body.reader,
            "reader of chunks": chunked.body.reader,
            "response": wsgi.Response,
            "gunicorn.http.wsgi": wsgi,
            "gunicorn.http.errors": errors,
            "gunicorn.util": util,
            "arbiter": Arbiter(app),
            "logger": logger,
        }
        missing = [
            f"{name} of the {kind}"
            for kind, names in INTERNAL_NAMES.items()
            for name in names.split()
            if not hasattr(objects[kind], name)
        ]
    assert not missing, (
        f"gunicorn {gunicorn.__version__} has no {', '.join(missing)}: "
        "adapt the class of taskservice.server that uses it, then raise the pin in setup.cfg"
    )
