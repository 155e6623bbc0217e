"""Clients that work at once, and write down what they ask for and hear."""

import itertools
from collections.abc import Sequence
from random import Random
from threading import Condition, Event, Thread
from typing import IO, Self

from tests.faults.batch_requests import draw_batch
from tests.faults.history import REMOVALS, History
from tests.faults.http_client import HttpClient, Response
from tests.faults.requests import KnownTasks, Request, draw_request, draw_undo

PAUSE = 0.02
"""Seconds to wait after a refusal, so that an outage is not a flood of refusals."""

ATTEMPTS = 400
TO_BE_KNOWN = {0, 409, 503}
"""After these a keyed write is sent again; 0 is no answer."""
CONFLICT = "/problems/undo-conflict"
"""The 409 that says that nothing was done."""


class Progress:
    """Counts what was acknowledged, for whoever waits until it goes on."""

    def __init__(self, clients: int) -> None:
        self._counts = [0] * clients
        self._changed = Condition()

    def tell(self, client: int) -> None:
        """Count one acknowledgement."""
        with self._changed:
            self._counts[client] += 1
            self._changed.notify_all()

    def await_all(self, more: int, seconds: float, after: str = "the start") -> None:
        """Return when each client has heard of `more` successes from now on."""
        with self._changed:
            goals = [count + more for count in self._counts]
            done = self._changed.wait_for(lambda: self._is_past(goals), seconds)
        assert done, f"not served for {seconds} s after {after}: {self._counts}, not {goals}"

    def _is_past(self, goals: Sequence[int]) -> bool:
        return all(count >= goal for count, goal in zip(self._counts, goals, strict=True))


class Client:
    """Asks for one thing after another, until it is told to stop."""

    def __init__(
        self, number: int, known: KnownTasks, place: tuple[str, int], history: History, seed: str
    ) -> None:
        self._number = number
        self._known = known
        self._send = HttpClient(*place, known.user)
        self._history = history
        self._random = Random(f"{seed}-{number}")  # noqa: S311
        self._names = (f"{known.user}-{number}-{count}" for count in itertools.count())

    def run(self, stop: Event, progress: Progress) -> None:
        """Work until `stop`."""
        while not stop.is_set():
            request = self._draw()
            response = self.send_until_known(request, stop)
            if response.changes:
                undo = draw_undo(next(self._names), request, response.changes, self._random)
                response = self.send_until_known(undo, stop)
            if response.outcome == "ok":
                progress.tell(self._number)
            elif response.status in {0, 503, 507}:
                stop.wait(PAUSE)
        self.disconnect()

    def _draw(self) -> Request:
        name = next(self._names)
        request = draw_request(name, self._known, self._random)
        is_batch = request.kind == "batch"
        return draw_batch(name, self._known, self._random) if is_batch else request

    def disconnect(self) -> None:
        """Close the connection; the next request makes another."""
        self._send.close()

    def send_until_known(self, request: Request, stop: Event) -> Response:
        """Ask for `request`; with a key again and again, until the outcome is known."""
        response = self.send_once(request)
        for _ in range(ATTEMPTS if request.key else 0):
            is_known = response.status not in TO_BE_KNOWN or response.problem == CONFLICT
            if is_known or stop.is_set():
                break
            stop.wait(PAUSE)
            response = self.send_once(request)
        return response

    def send_once(self, request: Request) -> Response:
        """Ask once, and write it down."""
        self._history.invoke(**request.asked())
        response = self._send(request)
        self._history.answer(request.name, **response._asdict())
        self._learn(request, response)
        return response

    def next_name(self) -> str:
        """Return a name that no other operation has."""
        return next(self._names)

    def _learn(self, request: Request, response: Response) -> None:
        if not request.dry_run:
            for command, result in zip(request.commands, response.results, strict=False):
                self._learn(command, Response("ok", *result))
        for seen in response.seen:
            self._known.add(seen)
        if request.kind == "purge_all" and response.status == 200:
            self._known.empty_trash()
        elif request.kind in REMOVALS and request.task and response.status == 204:
            self._known.move_to_trash(request.task)
        elif request.task and response.status in {204, 404}:
            self._known.forget(request.task)


class ClientPool:
    """Clients in threads of their own, two to a user; leave the block, and they have stopped."""

    def __init__(
        self, place: tuple[str, int], file: IO[str], *, users: Sequence[str], seed: str
    ) -> None:
        self.history = History(file)
        self._stop = Event()
        pairs = [known for known in map(KnownTasks, users) for _ in range(2)]
        self.clients = [
            Client(number, one, place, self.history, seed) for number, one in enumerate(pairs)
        ]
        self.progress = Progress(len(pairs))
        self._threads = [
            Thread(target=client.run, args=(self._stop, self.progress), daemon=True)
            for client in self.clients
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
