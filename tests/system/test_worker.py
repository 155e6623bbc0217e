"""gunicorn's worker, as we changed it: what no moment can take from it."""

import sys
from pathlib import Path

import pytest
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker
from tests.homes import sqlite_home
from tests.processes import run
from tests.support import SECRET

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


def test_a_signal_to_stop_is_heard_from_the_first_moment(tmp_path: Path) -> None:
    """What comes before the first instruction of a child waits for it."""
    settings = {"DATABASE_URL": sqlite_home(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    result = run([sys.executable, "-c", FORKS], tmp_path, **settings)
    assert (result.returncode, result.stderr) == (0, "")
