"""How a worker stops: it answers whoever has connected, and lets in nobody after."""

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

SILENCE_SECONDS = 2.0
"""How long a worker that stops waits for who has not sent anything: as for a kept connection."""

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def hold_stop_signals_over_forks() -> None:
    """Have signals to stop wait while this process forks, for both that come of it.

    Python forgets in a child what came before its first instruction.
    """
    wait, go_on = (partial(signal.pthread_sigmask, how, STOPS) for how in (SIG_BLOCK, SIG_UNBLOCK))
    os.register_at_fork(before=wait, after_in_parent=go_on, after_in_child=go_on)


class DrainingWorker(LingeringWorker):
    """The threaded worker, which loses nobody who has connected when it is told to stop.

    gunicorn's own leaves those whom it has not accepted yet in the kernel's
    queue: the last worker to end resets them, after up to `graceful_timeout`.
    And it does not hear a signal that comes before it has handlers of its own:
    the master's, which it is born with, only put the signal into a queue.
    """

    early_signals: "SimpleQueue[int] | None" = None
    """The signals that came before this worker had handlers of its own."""

    def init_signals(self) -> None:
        """Listen to signals, and stop where one to stop has come before."""
        super().init_signals()
        while self.early_signals and not self.early_signals.empty():
            if self.early_signals.get() in STOPS:
                self.alive = False

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Let clients in or not; a worker that stops takes in the queue, and closes the door."""
        super().set_accept_enabled(enabled)
        if not (enabled or self.alive):
            self._take_in_queue()
            self._hurry_the_silent()

    def _take_in_queue(self) -> None:
        for listener in self.sockets:
            # The bound is for a queue that fills as fast as it is emptied.
            for _ in takewhile(self._accepts_from, repeat(listener, self.cfg.backlog)):
                pass
            listener.close()

    def _accepts_from(self, listener: socket) -> bool:
        """Take in the next connection, if one waits and there is room for it."""
        count = self.nr_conns
        with suppress(OSError):
            self.accept(listener)
        return self.nr_conns > count

    def _hurry_the_silent(self) -> None:
        """Have those who connected and sent nothing wait for less than `graceful_timeout`."""
        for connection in self.pending_conns:
            connection.timeout = monotonic() + SILENCE_SECONDS
