"""Clients that follow the changes all the while, from a token that they have stored."""

import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from random import Random
from time import monotonic
from typing import NamedTuple

from tests.faults.background import Background
from tests.faults.history import History
from tests.faults.http_client import HttpClient, Page, Response
from tests.faults.seen import Seen

PAUSE = 0.1
LIMITS = [1, 3, 10, 50, 200]
BACK, ANEW = 0.1, 0.02
"""How often a client goes back to what it had stored before, and how often it begins anew."""
STORED = 20
"""How many earlier states a client may go back to."""


class Copy(NamedTuple):
    """What a client has stored together: a token, all tasks and lists, and those of a first sync.

    None: no token yet, and no first sync under way.
    """

    token: str | None = None
    entities: tuple[Seen, ...] = ()
    gathered: tuple[Seen, ...] | None = None

    def applied(self, page: Page) -> "Copy":
        """Return what there is after a page."""
        known = self.entities if self.gathered is None else self.gathered
        if page.full and self.token is None:
            known = ()
        entities = {seen.task: seen for seen in known} | {seen.task: seen for seen in page.seen}
        kept = tuple(seen for task, seen in entities.items() if task not in page.gone)
        if page.full:
            return Copy(page.next, self.entities, kept)
        return Copy(page.next, kept)


class Follower(Background):
    """Follows the changes of one user.

    It may begin again from what it had stored some time ago, as a client does that has crashed.
    """

    def __init__(self, place: tuple[str, int], user: str, history: History, seed: str) -> None:
        super().__init__()
        self._user = user
        self._send = HttpClient(*place, user)
        self._history = history
        self._random = Random(f"{seed}-{user}")  # noqa: S311
        self._names = (f"{user}-follower-{count}" for count in itertools.count())
        self._stored = deque([Copy()], maxlen=STORED)
        self._oldest = Copy()
        self.copy = Copy()

    def sync(self) -> int:
        """Ask for pages up to the last one; return its status, or that of a failure.

        A client whose token has expired begins anew.
        """
        while True:
            began = monotonic()
            page = self._send.changes(self.copy.token, self._random.choice(LIMITS))
            status = page.response.status
            self.copy = self.copy.applied(page) if status == 200 else self.copy
            is_end = status == 200 and not page.more
            self._note("page", began, page.response._replace(seen=page.seen))
            if is_end:
                self._note("sync", began, page.response._replace(seen=self.copy.entities))
            if status == 410:
                self.copy = Copy()
            elif status != 200 or is_end:
                return status

    def copies(self) -> Iterator[tuple[str, tuple[Seen, ...]]]:
        """Yield the user with what the client has in the end; also from its oldest token."""
        with closing(self._send):
            for copy in (self.copy, self._oldest):
                self.copy = copy
                assert self.sync() == 200
                yield self._user, self.copy.entities

    def _run(self) -> None:
        while not self._stop.is_set():
            self.sync()
            self._stored.append(self.copy)
            self._oldest = self._oldest if self._oldest.token else self.copy
            self._stop.wait(PAUSE)
            drawn = self._random.random()
            if drawn < BACK:
                self.copy = self._random.choice(self._stored)
            elif drawn < BACK + ANEW:
                self.copy = Copy()
        self._send.close()

    def _note(self, kind: str, began: float, response: Response) -> None:
        name = next(self._names)
        self._history.invoke(name, kind=kind, user=self._user, time=began)
        self._history.answer(name, **response._asdict())
