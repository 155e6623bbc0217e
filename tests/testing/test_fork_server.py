"""The fork server of the tests: a process that was forked has the interface of `Popen`."""

import os
import signal
from subprocess import DEVNULL, Popen

from tests.fork_server import Forked


def test_a_signal_to_a_process_that_has_just_ended_is_no_error() -> None:
    """The process may end, and be waited for, before its exit status is received."""
    with Popen(["true"], stdout=DEVNULL) as process:
        process.wait()
    status, pipe = os.pipe()
    Forked(process.pid, status, ["true"]).send_signal(signal.SIGTERM)
    os.close(status)
    os.close(pipe)
