"""Processes that the tests start die with them, even when the tests are killed."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when the parent dies; call it in the child, last (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, by)
