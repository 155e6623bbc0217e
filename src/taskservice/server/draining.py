"""Connection draining: a stopping worker serves every accepted and queued connection."""

import os
import signal
from contextlib import suppress
from functools import partial
from itertools import repeat, takewhile
from queue import SimpleQueue
from signal import SIG_BLOCK, SIG_UNBLOCK
from socket import socket
from time import monotonic

from taskservice.server.lingering_close import LingeringWorker

SILENT_CONNECTION_TIMEOUT = 2.0
"""Seconds that a stopping worker waits for a client that has sent nothing."""

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def block_stop_signals_during_forks() -> None:
    """Block stop signals during forks, in parent and child.

    Python discards signals that a child receives before its first instruction.
    """
    block = partial(signal.pthread_sigmask, SIG_BLOCK, STOP_SIGNALS)
    unblock = partial(signal.pthread_sigmask, SIG_UNBLOCK, STOP_SIGNALS)
    os.register_at_fork(before=block, after_in_parent=unblock, after_in_child=unblock)


class DrainingWorker(LingeringWorker):
    """The threaded worker; when stopping, it serves all clients that have connected.

    gunicorn's worker leaves connections in the accept queue: the last worker
    to exit resets them, after up to `graceful_timeout`. It also misses a
    signal that arrives before it installs its handlers: those of the master,
    which it inherits, only put the signal into a queue.
    """

    early_signals: "SimpleQueue[int] | None" = None
    """Signals that arrived before this worker installed its handlers."""

    def init_signals(self) -> None:
        """Install the signal handlers, and stop if a stop signal arrived before."""
        super().init_signals()
        while self.early_signals and not self.early_signals.empty():
            if self.early_signals.get() in STOP_SIGNALS:
                self.alive = False

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Accept clients or not; when stopping, empty the accept queue and close the listeners."""
        super().set_accept_enabled(enabled)
        if not (enabled or self.alive):
            self._drain_accept_queue()
            self._shorten_timeouts()

    def _drain_accept_queue(self) -> None:
        for listener in self.sockets:
            # The limit is for a queue that fills as fast as it is emptied.
            for _ in takewhile(self._accept_from, repeat(listener, self.cfg.backlog)):
                pass
            listener.close()

    def _accept_from(self, listener: socket) -> bool:
        """Accept the next queued connection; return whether there was one, and capacity for it."""
        count = self.nr_conns
        with suppress(OSError):
            self.accept(listener)
        return self.nr_conns > count

    def _shorten_timeouts(self) -> None:
        """Close connections without a request sooner than after `graceful_timeout`."""
        for connection in self.pending_conns:
            connection.timeout = monotonic() + SILENT_CONNECTION_TIMEOUT
