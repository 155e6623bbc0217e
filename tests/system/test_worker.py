"""gunicorn's worker, as we changed it: what no moment can take from it."""

import pytest
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from taskservice.gunicorn_log import Log, Worker


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
