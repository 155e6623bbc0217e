"""What `docs/deploy/compose.yaml` starts, run as plain processes: `tox -e compose`.

Its commands, environment, configurations and health checks are taken from the
file; names of hosts, ports and places are replaced by those of this machine.
No image is built, and no container is run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from tests.nginx import AROUND
from tests.parent_death_signal import die_with_parent
from tests.pgbouncer import await_answer, free_port, pgbouncer_program
from tests.postgres import PostgresServer, become_unprivileged, change_owner, program
from tests.processes import ROOT, SECONDS, Service, environment, gunicorn, look_at_output
from tests.secret_values import DATABASE_PASSWORD, SECRET, UNREACHABLE_PROXY
from tests.system.test_deployment import instructions, listed

from taskservice.adapters.jwt import issue

pytestmark = pytest.mark.compose

DEPLOY = ROOT / "docs" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENV = {
    "POSTGRES_PASSWORD": DATABASE_PASSWORD,
    "OWNER_PASSWORD": DATABASE_PASSWORD,
    "SERVICE_PASSWORD": DATABASE_PASSWORD,
    "TASKSERVICE_JWT_SECRET": SECRET,
}
_variable = re.compile(r"\$\{(\w+):[?-][^}]*\}")


class Place:
    """Where the parts are on this machine: what the names of the file mean here."""

    def __init__(self, folder: Path, postgres: int) -> None:
        self.folder = folder
        self.postgres = postgres
        self.pooler = free_port()
        self.front = free_port()
        self.meant = {
            "/tmp/": f"{folder}/",  # noqa: S108
            "@postgres:5432": f"@127.0.0.1:{postgres}",
            "host=postgres port=5432": f"host=127.0.0.1 port={postgres}",
            "@pgbouncer:6432": f"@127.0.0.1:{self.pooler}",
            "127.0.0.1/6432": f"127.0.0.1/{self.pooler}",
            "127.0.0.1:8080": f"127.0.0.1:{self.front}",
            "listen 8080;": f"listen 127.0.0.1:{self.front};",
            "listen_addr = 0.0.0.0": f"listen_addr = 127.0.0.1\nlisten_port = {self.pooler}",
            "/etc/": f"{folder}/etc/",
        }

    def here(self, text: str) -> str:
        """Return what the file says, with its variables, as it is meant on this machine."""
        text = _variable.sub(lambda match: ENV.get(match[1], ""), text)
        for default, meant in self.meant.items():
            text = text.replace(default, meant)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment of a service."""
        given = {name: self.here(value) for name, value in SERVICES[service]["environment"].items()}
        programs = f"{Path(sys.executable).parent}:{program('psql').parent}:{os.environ['PATH']}"
        at = {"PGHOST": "127.0.0.1", "PGPORT": f"{self.postgres}"} if "PGHOST" in given else {}
        return environment(**{**given, **at, "PATH": f"{programs}:/usr/sbin"})

    def command(self, service: str) -> list[str]:
        return [self.here(word) for word in SERVICES[service]["command"]]

    def run(self, service: str) -> None:
        """Run a service that ends by itself."""
        done = subprocess.run(
            self.command(service),
            env=self.environment(service),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for line in (done.stdout + done.stderr).splitlines():
            look_at_output([service], line)

    def lay_out(self) -> None:
        """Put every configuration where its service finds it."""
        for service in SERVICES.values():
            for one in service.get("configs", []):
                target = Path(self.here(one["target"]))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(self._content(COMPOSE["configs"][one["source"]]))

    def _content(self, config: dict[str, str]) -> str:
        if "content" in config:
            return self.here(config["content"])
        text = (DEPLOY / config["file"]).read_text()
        for default, meant in {
            "/etc/": f"{self.folder}/etc/",
            "/run/nginx.pid": f"{self.folder}/pid",
            "/var/log/nginx/": f"{self.folder}/",
            "http {\n": f"http {{\n{AROUND.format(directory=self.folder)}",
        }.items():
            text = text.replace(default, meant)
        return text

    def is_healthy(self, test: list[str]) -> bool:
        """Tell what a health check says, in an environment that names a proxy."""
        assert test[0] != "CMD-SHELL"
        words = [self.here(word) for word in test if word != "CMD"]
        behind = environment(**UNREACHABLE_PROXY)
        return subprocess.run(words, check=False, capture_output=True, env=behind).returncode == 0


def test_what_runs_has_no_power_that_it_does_not_need() -> None:
    """Read-only, without capabilities, as nobody special; PostgreSQL's image looks after itself."""
    for name, service in SERVICES.items():
        if name != "postgres":
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
            assert service["security_opt"] == ["no-new-privileges:true"], name
    users = {name: service.get("user") for name, service in SERVICES.items()}
    users["taskservice"] = users["migrate"] = instructions()["USER"]
    users["pgbouncer"] = instructions("pgbouncer.Containerfile")["USER"]
    del users["postgres"]
    assert all(re.fullmatch(r"[1-9]\d+:[1-9]\d+", user or "") for user in users.values()), users
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:8080:8080"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]


@pytest.fixture
def place() -> Iterator[Place]:
    """A database server, and everything in its place."""
    with PostgresServer(durable=False) as server, ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="taskservice-compose-")))
        place = Place(folder, int(server.url().rpartition(":")[2].partition("/")[0]))
        place.lay_out()
        if os.geteuid() == 0:
            change_owner(folder)
        yield place


@contextmanager
def pgbouncer(place: Place) -> Iterator[None]:
    words = [place.here(word) for word in listed(instructions("pgbouncer.Containerfile")["CMD"])]
    with subprocess.Popen(
        [pgbouncer_program(), *words[1:]],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=partial(become_unprivileged, SIGKILL),
    ) as process:
        try:
            await_answer(place.environment("taskservice")["DATABASE_URL"])
            yield
        finally:
            process.kill()
            process.wait(SECONDS)


@contextmanager
def nginx(place: Place, service: Service) -> Iterator[Service]:
    place.meant["server taskservice:8000;"] = f"server {service.address.partition('//')[2]};"
    place.meant["exec nginx"] = f"exec nginx -p {place.folder} -e {place.folder}/error.log"
    words = place.command("nginx")
    with subprocess.Popen(
        words,
        env=environment(PATH=f"{os.environ['PATH']}:/usr/sbin"),
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    ) as process:
        try:
            yield service._replace(address=f"http://127.0.0.1:{place.front}")
        finally:
            process.terminate()
            process.wait(SECONDS)


def test_what_the_file_starts_serves(place: Place, tmp_path: Path) -> None:
    """Roles twice, migration and grant, pooler, service and proxy: a task is made through all."""
    for one_shot in ("roles", "roles", "migrate", "migrate"):
        place.run(one_shot)
    given = place.environment("taskservice")
    settings = {name: given[name] for name in SERVICES["taskservice"]["environment"]}
    with (
        pgbouncer(place),
        gunicorn(tmp_path, **settings) as service,
        nginx(place, service) as front,
    ):
        now = datetime.now(UTC)
        token = issue(SECRET, "ada", lifetime=timedelta(hours=1), now=now)
        await_health(place)
        created = front("POST", "/api/tasks/ada/tasks", token, {"title": "Read a book"})
        assert created.status == 201
        assert front("GET", "/readyz").status == 200
        assert front("GET", "/api/tasks/ada/tasks", token).json == [created.json]
        pooler = instructions("pgbouncer.Containerfile")
        check = listed(pooler["HEALTHCHECK"].partition("CMD ")[2])
        assert place.is_healthy(check)
    assert not place.is_healthy(check)
    assert not place.is_healthy(SERVICES["nginx"]["healthcheck"]["test"])


def await_health(place: Place) -> None:
    """Return when nginx's own health check says that it is there."""
    deadline = monotonic() + SECONDS
    while not place.is_healthy(SERVICES["nginx"]["healthcheck"]["test"]):
        assert monotonic() < deadline
        sleep(0.05)
