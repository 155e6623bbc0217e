"""A real nginx in front of the service, as `docs/deploy/nginx.conf` sets it up."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.canaries import WATCH
from tests.postgres import become_unprivileged, change_owner
from tests.processes import ROOT, SECONDS, Service

DOCUMENT = ROOT / "docs" / "deploy" / "nginx.conf"

# What Debian's nginx.conf, or a careless one, says for all sites: the server's own lines must win.
AROUND = """
    gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/x; uwsgi_temp_path {directory}/x; scgi_temp_path {directory}/x;
"""


@contextmanager
def fronted(service: Service) -> Iterator[Service]:
    """Yield the service as it is reached through nginx."""
    with in_front_of(service.address) as address:
        yield service._replace(address=address)


@contextmanager
def in_front_of(service: str) -> Iterator[str]:
    """Yield the address at which nginx passes on to the one of a service."""
    with tempfile.TemporaryDirectory(prefix="taskservice-nginx-") as folder:
        directory, port = Path(folder), _free_port()
        (directory / "nginx.conf").write_text(configuration(directory, port, service))
        if os.geteuid() == 0:
            change_owner(directory)
        with _running(directory):
            _await(port)
            yield f"http://127.0.0.1:{port}"
        for log in ("access", "error"):
            WATCH.look(f"nginx's {log} log", (directory / f"{log}.log").read_text())


def configuration(directory: Path, port: int, service: str) -> str:
    """Return the document's configuration, at these places in place of its own."""
    text = DOCUMENT.read_text()
    for default, meant in {
        "user www-data;\n": "",
        "/run/nginx.pid": f"{directory}/pid",
        "/var/log/nginx/": f"{directory}/",
        "server 127.0.0.1:8000;": f"server {urlsplit(service).netloc};",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "http {\n": f"http {{\n{AROUND.format(directory=directory)}",
    }.items():
        assert text.count(default) >= 1, default
        text = text.replace(default, meant)
    return text


@contextmanager
def _running(directory: Path) -> Iterator[None]:
    files = [f"-p{directory}", f"-c{directory}/nginx.conf", f"-e{directory}/error.log"]
    process = subprocess.Popen(
        [program(), *files, "-g", "daemon off;"],
        stdin=subprocess.DEVNULL,
        preexec_fn=partial(become_unprivileged, signal.SIGTERM),
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def program() -> str:
    """Return where nginx is, or fail with what to do."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise RuntimeError("no nginx: install Debian's package nginx")
    return found


def _free_port() -> int:
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", 0))
        port: int = keeper.getsockname()[1]
        return port


def _await(port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            return
        time.sleep(0.02)
    raise RuntimeError("nginx does not answer")
