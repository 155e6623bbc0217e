"""The metrics of a service that runs: they add up over all processes, whatever befalls these."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.databases import sqlite_database
from tests.http_callers import token_of
from tests.processes import (
    COMMAND,
    SECONDS,
    START,
    WORKERS,
    Service,
    gunicorn,
    run,
    running,
    write_program,
)
from tests.secret_values import SECRET
from tests.token_issuer import Issuer

from taskservice import __version__
from taskservice.adapters.prometheus.endpoint import create_registry

ADA = token_of("ada")
PATH = "/api/tasks/ada/tasks"
TASKS = "/api/tasks/{user_id}/tasks"
TASK = f"{TASKS}/{{task_id}}"
BODY = {"title": "Buy milk"}
ON = {"TASKSERVICE_METRICS_ADDRESS": "127.0.0.1:0"}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

_logged_address = re.compile(r'"metrics server listening", "address": "([^"]+)"').search


class Scraper:
    """Asks a service for its metrics, as Prometheus does."""

    def __init__(self, service: Service) -> None:
        logged = (match for line in service.output if (match := _logged_address(line)))
        self.address = next(logged)[1]

    def __call__(self, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
        connection = HTTPConnection(self.address, timeout=SECONDS)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def samples(self) -> Samples:
        status, text = self()
        assert status == 200
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples().get((f"taskservice_{name}", frozenset(labels.items())))


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET, **ON}


@contextmanager
def running_with_metrics(
    folder: Path, settings: dict[str, str]
) -> Iterator[tuple[Service, Scraper]]:
    with gunicorn(folder, **settings) as service:
        yield service, Scraper(service)


def worker_pids(service: Service, count: int) -> list[int]:
    """Wait until `count` workers have been ready in all, and return their ids."""
    ready = (re.search(r"Worker ready \(pid: (\d+)\)", line) for line in service.output)
    return [int(match[1]) for match in islice((one for one in ready if one), count)]


def use(service: Service) -> None:
    """Send 20 requests: 10 lists, 5 creates, and 5 that are refused in several ways."""
    for _ in range(10):
        assert service("GET", PATH, ADA).status == 200
    for _ in range(5):
        assert service("POST", PATH, ADA, BODY).status == 201
    assert service("POST", PATH, ADA, {}).status == 422
    assert service("GET", PATH).status == 401
    assert service("GET", "/api/tasks/bob/tasks", ADA).status == 403
    assert service("GET", "/nowhere").status == 404
    assert service("FOO", "/nowhere/else").status == 404


def used(times: int) -> dict[tuple[str, str, str], int]:
    """Return what is counted after so many uses, by method, route and status."""
    once = {
        ("GET", TASKS, "200"): 10,
        ("POST", TASKS, "201"): 5,
        ("POST", TASKS, "422"): 1,
        ("GET", TASKS, "401"): 1,
        ("GET", TASKS, "403"): 1,
        ("GET", "none", "404"): 1,
        ("OTHER", "none", "404"): 1,
    }
    return {labels: count * times for labels, count in once.items()}


def counted(samples: Samples) -> dict[tuple[Any, ...], float]:
    labels = ("method", "route", "status")
    return {
        tuple(dict(key)[name] for name in labels): value
        for (name, key), value in samples.items()
        if name == "taskservice_requests_total"
    }


def test_the_counts_of_all_workers_add_up(tmp_path: Path, settings: dict[str, str]) -> None:
    """Exactly what was sent, also after a worker was killed, and after all were replaced."""
    with running_with_metrics(tmp_path, settings) as (service, scraper):
        use(service)
        assert counted(scraper.samples()) == used(1)
        os.kill(worker_pids(service, WORKERS)[0], signal.SIGKILL)
        worker_pids(service, WORKERS + 1)
        use(service)
        assert counted(scraper.samples()) == used(2)
        service.process.send_signal(signal.SIGHUP)
        worker_pids(service, WORKERS * 2 + 1)
        use(service)
        samples = scraper.samples()
        assert counted(samples) == used(3)
        writes = "taskservice_writes_total"
        assert samples[writes, frozenset({("outcome", "applied")})] == 15
        assert samples[writes, frozenset({("outcome", "unknown")})] == 0
        assert service.stop() == 0


def test_scrapes_go_on_while_workers_come_and_go(tmp_path: Path, settings: dict[str, str]) -> None:
    """Each is answered, and counts the same requests."""
    reloads = 3
    with (
        running_with_metrics(tmp_path, settings) as (service, scraper),
        ThreadPoolExecutor() as threads,
    ):
        use(service)
        is_over = Event()
        scrapes = [threads.submit(scraped_until, is_over, scraper) for _ in range(2)]
        for reload in range(reloads):
            service.process.send_signal(signal.SIGHUP)
            worker_pids(service, WORKERS * (reload + 2))
        is_over.set()
        for scrape in scrapes:
            assert scrape.result() == [used(1)]
        assert service.stop() == 0


def scraped_until(is_over: Event, scraper: Scraper) -> list[Any]:
    """Scrape until it is over; return what was counted, each once."""
    seen: list[Any] = []
    while not is_over.is_set():
        if (now := counted(scraper.samples())) not in seen:
            seen.append(now)
    return seen


def test_a_scrape_skips_the_file_that_a_worker_has_just_created(tmp_path: Path) -> None:
    """It is empty until the worker has given it a size (prometheus_client's `MmapedDict`)."""
    (tmp_path / "counter_1.db").touch()
    text = generate_latest(create_registry(str(tmp_path))).decode()
    assert text.splitlines()[-1].startswith("taskservice_build_info")


def test_a_worker_does_not_hold_the_port(tmp_path: Path, settings: dict[str, str]) -> None:
    """Where the master was killed, the next one can listen at once."""
    with running_with_metrics(tmp_path, settings) as (service, scraper):
        port = int(scraper.address.rpartition(":")[2])
        assert port in listening(service.process.pid)
        for pid in worker_pids(service, WORKERS):
            assert port not in listening(pid)


def listening(pid: int) -> set[int]:
    """Return the ports on which a process holds a listening socket (proc(5))."""
    held = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in held}


def test_the_durations_are_a_histogram_by_method_and_route(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """As many as there were requests, with their sum, in buckets from 1 ms to 10 s."""
    with running_with_metrics(tmp_path, settings) as (service, scraper):
        use(service)
        labels = {"method": "GET", "route": TASKS}
        name = "request_duration_seconds"
        assert scraper.value(f"{name}_count", **labels) == 12
        assert scraper.value(f"{name}_bucket", **labels, le="10.0") == 12
        assert scraper.value(f"{name}_bucket", **labels, le="0.001") is not None
        assert 0 < (scraper.value(f"{name}_sum", **labels) or 0) < SECONDS


def test_gauges_are_of_the_workers_that_live(tmp_path: Path, settings: dict[str, str]) -> None:
    """A killed worker takes what it was doing along: the one that follows starts from nothing."""
    with running_with_metrics(tmp_path, settings) as (service, scraper):
        pool = 5 * WORKERS
        use(service)
        assert scraper.value("database_connections_max") == pool
        assert scraper.value("database_connections_in_use") == 0
        assert scraper.value("requests_in_progress") == 0
        for pid in worker_pids(service, WORKERS):
            os.kill(pid, signal.SIGKILL)
        worker_pids(service, WORKERS * 2)
        assert scraper.value("database_connections_max") == pool
        assert scraper.value("database_waiting") == 0
        assert scraper.value("database_wait_timeouts_total") == 0
        assert scraper.value("key_set_fetched_timestamp_seconds") is None
        assert scraper.value("build_info", version=__version__) == 1


def test_the_age_of_the_keys_is_a_metric(tmp_path: Path, settings: dict[str, str]) -> None:
    """When the oldest keys were fetched; that of a worker without any is 0."""
    settings.pop("TASKSERVICE_JWT_SECRET")
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    out = {**settings, "TASKSERVICE_JWKS_URL": f"http://127.0.0.1:{port}/keys"}
    with running_with_metrics(tmp_path, out) as (_, scraper):
        assert scraper.value("key_set_fetched_timestamp_seconds") == 0
        assert scraper.value("key_set_fetch_failures_total") == WORKERS


def test_keys_that_were_fetched_have_a_time(tmp_path: Path, settings: dict[str, str]) -> None:
    """In seconds of Unix time, so that their age is `time()` less it."""
    settings.pop("TASKSERVICE_JWT_SECRET")
    began = time.time()
    with Issuer(("EdDSA",)) as issuer:
        settings["TASKSERVICE_JWKS_URL"] = issuer.url
        with running_with_metrics(tmp_path, settings) as (_, scraper):
            fetched = scraper.value("key_set_fetched_timestamp_seconds")
            assert scraper.value("key_set_fetch_failures_total") == 0
    assert fetched is not None
    assert began <= fetched <= time.time()


def test_a_failed_scrape_is_logged_and_can_be_repeated(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """503 and a line in the log, where the numbers cannot be read; the service goes on."""
    with running_with_metrics(tmp_path, settings) as (service, scraper):
        folder = folder_of(service)
        assert folder is not None
        (folder / "counter_1.db").write_bytes(b"no")
        assert scraper()[0] == 503
        (folder / "counter_1.db").unlink()
        assert scraper()[0] == 200
        assert service("GET", PATH, ADA).status == 200
        assert service.stop() == 0
    logged = [json.loads(line) for line in service.output]
    assert "metrics scrape failed" in {line["event"] for line in logged}


def test_metrics_have_one_address_of_their_own(tmp_path: Path, settings: dict[str, str]) -> None:
    """`/metrics` there, nothing else there, and no metrics where the tasks are."""
    with running_with_metrics(tmp_path, settings) as (service, scraper):
        assert scraper("/")[0] == 404
        assert scraper(method="POST")[0] == 405
        assert service("GET", "/metrics").status == 404


def folder_of(service: Service) -> Path | None:
    """Return the folder whose files a worker shares with the master."""
    maps = Path(f"/proc/{worker_pids(service, 1)[0]}/maps").read_text()
    shared = re.search(r"(/\S+/taskservice-\w+)/counter_\d+\.db", maps)
    return Path(shared[1]) if shared else None


def test_nothing_is_left_behind(tmp_path: Path, settings: dict[str, str]) -> None:
    """The folder with the numbers is made anew at each start, and gone at the end."""
    used: list[Path | None] = []
    for _ in range(2):
        with running_with_metrics(tmp_path, settings) as (service, scraper):
            assert counted(scraper.samples()) == {}
            folder = folder_of(service)
            assert folder is not None
            use(service)
            assert service.stop() == 0
        assert not folder.exists()
        used.append(folder)
    assert used[0] != used[1]


def test_metrics_that_are_off_cost_nothing(tmp_path: Path, settings: dict[str, str]) -> None:
    """No library, no port, no folder."""
    del settings["TASKSERVICE_METRICS_ADDRESS"]
    with gunicorn(tmp_path, **settings) as service:
        assert folder_of(service) is None
        assert service.stop() == 0
        assert not any(_logged_address(line) for line in service.output)
    script = "import sys, taskservice.wsgi; print('prometheus_client' in sys.modules)"
    result = run(write_program(tmp_path, script), tmp_path, **settings)
    assert result.stdout == "False\n", result.stderr


def test_serve_has_metrics_too(tmp_path: Path) -> None:
    """The same setting, for whoever tries things out."""
    with running([*COMMAND, "serve", "--port", "0"], tmp_path, **ON) as service:
        scraper = Scraper(service)
        assert service("GET", PATH).status == 401
        labels = {"method": "GET", "route": TASKS, "status": "401"}
        assert scraper.value("requests_total", **labels) == 1


@pytest.mark.parametrize("command", [START, [*COMMAND, "serve", "--port", "0"]])
def test_an_address_in_use_ends_the_start(
    tmp_path: Path, settings: dict[str, str], command: list[str]
) -> None:
    """Exit status 2, and the message says which setting, which address, and why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        settings["TASKSERVICE_METRICS_ADDRESS"] = place
        result = run(command, tmp_path, **settings)
    assert result.returncode == 2
    message = f"TASKSERVICE_METRICS_ADDRESS: cannot listen on {place}: Address already in use"
    assert result.stderr.splitlines()[-1].endswith(f": {message}")
    assert "Traceback" not in result.stderr


def test_metrics_are_disabled_under_another_server(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """The setting is for gunicorn's master: elsewhere it is a warning, and no numbers are kept."""
    result = run(write_program(tmp_path, "import taskservice.wsgi"), tmp_path, **settings)
    assert result.returncode == 0
    assert '"event": "metrics disabled"' in result.stderr
