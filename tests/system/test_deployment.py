"""The operator's files of `docs/deploy` do what they say: run, or verified, part by part."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.databases import migrated_database, sqlite_database
from tests.pgbouncer import CONFIGURATION
from tests.postgres import Databases
from tests.processes import ROOT, SECONDS, environment, running
from tests.secret_values import SECRET, UNREACHABLE_PROXY

from taskservice.config import Settings
from taskservice.server import gunicorn_conf

DEPLOY = ROOT / "docs" / "deploy"
INSTALLED = "/opt/taskservice/bin/"
HERE = f"{Path(sys.executable).parent}/"
GUNICORNS = {"GUNICORN_CMD_ARGS"}

# In mounts of its own: each is made read-only, but the kernel's; then the command, if that holds.
READ_ONLY = """
    cut -d' ' -f2 /proc/self/mounts | grep -vE '^/(proc|sys|dev)(/|$)' | while read -r place
    do mount -o remount,bind,ro "$place"; done
    if touch probe 2>/dev/null; then exit 77; fi
    exec "$@"
"""


def unit() -> ConfigParser:
    """Return the systemd unit; where a key stands twice, its last line."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "taskservice.service")
    return parser


def instructions(file: str = "Containerfile") -> dict[str, str]:
    """Return the last of each instruction of a container's file."""
    text = (DEPLOY / file).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in lines)}


def at_a_free_port(command: list[str]) -> list[str]:
    """Return an installed command as it is run here, on a port that is free."""
    free = ["127.0.0.1:0" if word.endswith(":8000") else word for word in command]
    program = free[0].removeprefix(INSTALLED)
    return [f"{HERE}{program}", *free[1:]]


def settings_for(folder: Path) -> dict[str, str]:
    return {"DATABASE_URL": sqlite_database(folder), "TASKSERVICE_JWT_SECRET": SECRET}


def test_the_environment_file_has_every_setting() -> None:
    """Each setting stands there once; what is commented out and has a default shows it."""
    found = re.findall(
        r"^(#?)([A-Z_]+)=(.*)$", (DEPLOY / "taskservice.env").read_text(), re.MULTILINE
    )
    names = [name for _, name, _ in found]
    fields = set(Settings.__dataclass_fields__)
    settings = {name.removeprefix("TASKSERVICE_").lower(): name for name in names}
    assert len(names) == len(set(names))
    assert set(settings) == fields | {name.lower() for name in GUNICORNS}
    given = {name: value for _, name, value in found if name not in GUNICORNS}
    given |= {"TASKSERVICE_JWT_SECRET": SECRET}
    del given["TASKSERVICE_JWKS_URL"]
    shown = Settings.from_environment(given)
    plain = Settings(database_url=shown.database_url, jwt_secret=SECRET)
    examples = {"jwt_issuer", "jwt_audience", "cors_origins", "cors_headers", "proxies"}
    examples |= {"metrics_address", "web_concurrency"}
    assert all(getattr(shown, name) == getattr(plain, name) for name in fields - examples)
    assert (shown.proxies, shown.web_concurrency) == (1, gunicorn_conf.workers)


def test_the_unit_is_sound(tmp_path: Path) -> None:
    """systemd finds nothing to say about it, where there is a systemd to ask."""
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("NOT VERIFIED: this machine has no systemd-analyze")
    text = (DEPLOY / "taskservice.service").read_text().replace(INSTALLED, HERE)
    (tmp_path / "taskservice.service").write_text(text)
    command = [analyze, "verify", "--man=no", "taskservice.service"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_unit_gives_workers_their_time() -> None:
    """The stop is given more time than `graceful_timeout`, and the whole group dies at its end."""
    service = unit()["Service"]
    assert int(service["TimeoutStopSec"]) > gunicorn_conf.graceful_timeout
    assert service["KillMode"] == "mixed"
    assert service["RestartPreventExitStatus"] == "2"


def test_the_command_of_the_unit_tells_systemd(tmp_path: Path) -> None:
    """It says READY where systemd listens, runs from an installed package, and ends with 0."""
    command = at_a_free_port(shlex.split(unit()["Service"]["ExecStart"]))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SECONDS)
        notify = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with running(command, tmp_path, **settings_for(tmp_path), **notify) as service:
            assert systemd.recv(4096).startswith(b"READY=1\n")
            assert service("GET", "/readyz").status == 200
            assert service.stop(signal.SIGTERM) == 0


def test_the_container_runs_and_knows_its_health(tmp_path: Path) -> None:
    """Its command serves, and its health check tells a service that lives from one that is gone.

    A proxy that the environment names (traefik/traefik#12455) does not come between. The image
    itself is not built here.
    """
    parts = instructions()
    command = at_a_free_port(listed(parts["CMD"]))
    with running(command, tmp_path, **settings_for(tmp_path)) as service:
        _, _, check = parts["HEALTHCHECK"].partition("CMD ")
        place = urlsplit(service.address).netloc
        health = [word.replace("127.0.0.1:8000", place) for word in listed(check)]
        health[0] = sys.executable
        behind = environment(**UNREACHABLE_PROXY)
        assert subprocess.run(health, env=behind, check=False).returncode == 0
        assert service.stop() == 0
        gone = subprocess.run(health, env=behind, check=False, stderr=subprocess.DEVNULL)
        assert gone.returncode == 1


def test_the_container_needs_no_file_that_can_be_written(
    tmp_path: Path, postgresql: Databases
) -> None:
    """Its command serves, metrics and all, where nothing but `/dev` can be written."""
    private = ["unshare", "--mount"]
    if subprocess.run([*private, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("NOT VERIFIED: this machine makes no mounts for us")
    command = [
        *private,
        "sh",
        "-c",
        READ_ONLY,
        "sh",
        *at_a_free_port(listed(instructions()["CMD"])),
    ]
    with migrated_database(postgresql) as database:
        settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
        metrics = {"TASKSERVICE_METRICS_ADDRESS": "127.0.0.1:0"}
        with running(command, tmp_path, **settings, **metrics) as service:
            assert service("GET", "/readyz").status == 200
            assert service.stop() == 0
    assert not (tmp_path / "probe").exists()


def listed(words: str) -> list[str]:
    """Return the words of an instruction in its JSON form, which no shell takes apart."""
    assert words.startswith('["')
    return [str(word) for word in json.loads(words)]


def test_the_container_has_no_root() -> None:
    """Every instruction is one that there is; the last user is a number, and not root's."""
    parts = instructions()
    known = "FROM COPY RUN ENV WORKDIR USER EXPOSE STOPSIGNAL HEALTHCHECK CMD"
    assert set(parts) == set(known.split())
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", parts["USER"])
    assert parts["STOPSIGNAL"] == "SIGTERM"


def test_the_container_installs_what_was_tested() -> None:
    """The lock of what runs holds versions of the lock of the tests, hashes and all."""
    tested, runs = (_pins(ROOT / name) for name in ("requirements.txt", "requirements-run.txt"))
    assert runs
    assert runs <= tested


def _pins(lock: Path) -> set[tuple[str, ...]]:
    """Return each package of a lock: name and version, and its hashes; markers may differ."""
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    return {(entry.split()[0], *re.findall(r"sha256:\w+", entry)) for entry in entries}


def test_the_pooler_is_set_as_it_is_tested() -> None:
    """What `tox -e pooler` runs through is what the file sets up, but for places and sizes."""
    documented, tested = ConfigParser(), ConfigParser()
    documented.read(DEPLOY / "pgbouncer.ini")
    tested.read_string(CONFIGURATION)
    for name in ("pool_mode", "ignore_startup_parameters", "max_client_conn", "unix_socket_dir"):
        assert documented["pgbouncer"][name] == tested["pgbouncer"][name]
