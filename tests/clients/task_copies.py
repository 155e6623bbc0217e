"""What a client that keeps a copy of a user's data has to do, whatever it is written in."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.http_callers import token_of
from tests.processes import COMMAND, Answer, Service, running
from tests.secret_values import SECRET

from taskservice.adapters.sql.admin.prune import prune_changes
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.startup_checks import parse_database_url

PAGE_SIZE = 3
"""The limit with which the clients ask."""

_numbers = count()


class CopyClient(Protocol):
    """A client that keeps a copy in a file, between runs too."""

    def update(self, url: str, token: str) -> bool:
        """Apply all changes; return whether it came to the end."""

    def stored(self) -> dict[str, Any]:
        """Return the stored lists and tasks by id."""


class User:
    """A user on another device, who writes."""

    def __init__(self, service: Service, name: str) -> None:
        self._service = service
        self.path = f"/api/tasks/{name}"
        self.token = token_of(name)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._service(method, f"{self.path}/{path}", self.token, body)
        assert answer.status < 300, answer
        return answer.json if answer.body else None

    def create(self, title: str, **fields: Any) -> str:
        """Create a task; return its id."""
        return str(self("POST", "tasks", {"title": title, **fields})["id"])

    def patch(self, task: str, **fields: Any) -> None:
        """Change a task."""
        self("PATCH", f"tasks/{task}", fields)

    def delete(self, path: str) -> None:
        """Delete a task or a list."""
        self("DELETE", path)

    def everything(self) -> dict[str, Any]:
        """Return all lists and tasks by id, as they are listed."""
        found = [*self("GET", "lists"), *self("GET", "tasks?limit=200")]
        return {one["id"]: one for one in found}


class Request(NamedTuple):
    """A request of a client: the token that it sent, and the answer."""

    since: str | None
    answer: Answer


class BetweenPages:
    """Forwards the requests of a client, and takes a step before each, as long as there are some.

    A step that returns a status is the answer itself.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.steps: list[Callable[[], int | None]] = []
        self.requests: list[Request] = []

    def answer(self, target: str, authorization: str) -> Answer:
        """Take the next step, and answer a request."""
        status = self.steps.pop(0)() if self.steps else None
        answer = (
            Answer(status, {}, b"{}")
            if status
            else self._service("GET", target, Authorization=authorization)
        )
        (since,) = parse_qs(urlsplit(target).query).get("since", [None])
        self.requests.append(Request(since, answer))
        return answer

    @property
    def statuses(self) -> list[int]:
        """The statuses of the answers, in order."""
        return [request.answer.status for request in self.requests]

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve until the block ends, which gets the address."""
        answer_to = self.answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answer_to(self.path, self.headers["Authorization"])
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                """Write no access log."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


class Scene(NamedTuple):
    """A client, what it asks, and another device of the same user."""

    client: CopyClient
    address: str
    between: BetweenPages
    user: User
    database: Path

    def sync(self, *steps: Callable[[], int | None]) -> bool:
        """Run the client once, with a step before each of its first requests."""
        self.between.steps = list(steps)
        self.between.requests.clear()
        done = self.client.update(f"{self.address}{self.user.path}/changes", self.user.token)
        assert self.between.steps == []
        return done

    def prune(self) -> None:
        """Remove all changes but the last from the log, as if they were old."""
        later = datetime.now(UTC) + timedelta(days=1)
        engine = unpooled_engine(parse_database_url(f"sqlite:///{self.database}"))
        assert prune_changes(engine, later, later) > 0
        engine.dispose()


class TaskCopyContract:
    """The tests of a client; a subclass has the fixture `client`."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The folder of the service, with its database."""
        return tmp_path_factory.mktemp("service")

    @pytest.fixture(scope="class")
    @classmethod
    def service(cls, folder: Path) -> Iterator[Service]:
        """A service of which each test is a user of its own."""
        command = [*COMMAND, "serve", "--port", "0"]
        with running(command, folder, TASKSERVICE_JWT_SECRET=SECRET) as service:
            yield service

    @pytest.fixture
    def scene(self, client: CopyClient, service: Service, folder: Path) -> Iterator[Scene]:
        """A client without a copy, and a user with two lists and seven tasks."""
        user, between = User(service, f"copies-{next(_numbers)}"), BetweenPages(service)
        for name in ("Home", "Work"):
            user("POST", "lists", {"name": name})
        for number in range(7):
            user.create(f"Task {number}")
        with between.serving() as address:
            yield Scene(client, address, between, user, folder / "taskservice.db")

    def test_a_first_sync_while_another_writes(self, scene: Scene) -> None:
        """The copy agrees in the end, whatever was written between its pages.

        Written are tasks that it has already and tasks that it has not.
        """
        user = scene.user
        tasks = [one["id"] for one in user("GET", "tasks?sort=created_at")]
        steps = [
            lambda: None,
            lambda: user.create("Before the tasks"),
            lambda: user.patch(tasks[0], title="Changed behind the page"),
            lambda: user.delete(f"tasks/{tasks[1]}"),
            lambda: user.delete(f"tasks/{tasks[6]}"),
        ]
        assert scene.sync(*(step_without_answer(step) for step in steps))
        assert len(scene.between.requests) > len(steps)
        assert scene.client.stored() == user.everything()

    def test_a_delta_after_a_restart(self, scene: Scene) -> None:
        """It goes on from the stored token, and applies every kind of change."""
        user = scene.user
        assert scene.sync()
        token = json.loads(scene.between.requests[-1].answer.body)["next"]
        home, work = (one["id"] for one in user("GET", "lists"))
        first, second, third, *_ = (one["id"] for one in user("GET", "tasks?sort=created_at"))
        user.patch(first, list_id=work)
        user.create("A sub-task", parent_id=first)
        user("PATCH", f"tasks/{second}/complete")
        user.delete(f"tasks/{third}")
        user.delete(f"lists/{home}")
        user.delete(f"lists/{work}?tasks=delete")
        assert scene.sync()
        assert scene.between.requests[0].since == token
        pages = [json.loads(request.answer.body) for request in scene.between.requests]
        assert not any(page["full"] for page in pages)
        assert scene.client.stored() == user.everything()

    def test_a_copy_that_is_up_to_date(self, scene: Scene) -> None:
        """It asks once, and stays as it is."""
        assert scene.sync()
        copy = scene.client.stored()
        assert scene.sync()
        assert len(scene.between.requests) == 1
        assert scene.client.stored() == copy

    def test_an_interrupted_delta_goes_on_with_the_next_page(self, scene: Scene) -> None:
        """What was applied stays, with its token."""
        user = scene.user
        assert scene.sync()
        for number in range(5):
            user.create(f"More {number}")
        assert not scene.sync(lambda: None, lambda: 503)
        first, _ = scene.between.requests
        assert scene.sync()
        assert scene.between.requests[0].since == json.loads(first.answer.body)["next"]
        assert scene.client.stored() == user.everything()

    def test_an_expired_token_replaces_the_copy(self, scene: Scene) -> None:
        """After 410 it is a first sync. What was deleted meanwhile is not left."""
        self._let_expire(scene)
        assert scene.sync()
        assert scene.between.statuses[0] == 410
        assert set(scene.between.statuses[1:]) == {200}
        assert scene.between.requests[1].since is None
        assert scene.client.stored() == scene.user.everything()

    def test_an_interrupted_first_sync_leaves_the_copy(self, scene: Scene) -> None:
        """The old copy stays whole until all of the new one is there."""
        self._let_expire(scene)
        copy = scene.client.stored()
        assert not scene.sync(*[lambda: None] * 3, lambda: 503)
        assert scene.between.statuses == [410, 200, 200, 503]
        assert scene.client.stored() == copy
        assert scene.sync()
        assert scene.client.stored() == scene.user.everything()

    def test_a_first_sync_that_expires_begins_again(self, scene: Scene) -> None:
        """What its first pages had is dropped: some of it may be gone."""
        task = scene.user("GET", "tasks?sort=created_at")[0]["id"]

        def expire() -> None:
            scene.user.delete(f"tasks/{task}")
            scene.user.create("Later")
            scene.prune()

        assert scene.sync(lambda: None, lambda: None, expire)
        assert scene.between.statuses[:4] == [200, 200, 410, 200]
        assert scene.client.stored() == scene.user.everything()

    def _let_expire(self, scene: Scene) -> None:
        """Make a copy that has a token no longer known, and a task no longer there."""
        assert scene.sync()
        task = scene.user("GET", "tasks?limit=1")[0]["id"]
        scene.user.delete(f"tasks/{task}")
        for number in range(2):
            scene.user.create(f"Later {number}")
        scene.prune()


def step_without_answer(step: Callable[[], object]) -> Callable[[], None]:
    """Return a step whose result is no status."""

    def run() -> None:
        step()

    return run
