"""A thread beside the load, which runs as long as its block."""

from abc import ABC, abstractmethod
from threading import Event, Thread
from typing import Self


class Background(ABC):
    """Enter the block to start the thread; leave it, and the thread has stopped."""

    def __init__(self) -> None:
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Work until `_stop` is set."""
