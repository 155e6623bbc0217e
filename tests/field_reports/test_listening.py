"""Listening: on every host that a person may name, and the address that is printed opens."""

import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.field_reports.listening import HOSTS, REFUSED
from tests.field_reports.report import Report
from tests.http_callers import SETTINGS
from tests.processes import COMMAND, running

from taskservice.app import serve_metrics
from taskservice.cli import serve
from taskservice.config import ConfigError
from taskservice.listening_socket import listen, local_authority


def is_ipv6_here() -> bool:
    """Tell whether this machine has an address of IPv6."""
    try:
        listen("::1", 0).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not is_ipv6_here(), reason="NOT TESTED: this machine has no IPv6")


@needs_ipv6
@pytest.mark.parametrize("report", HOSTS, ids=str)
def test_a_host_is_listened_on(report: Report[str, str]) -> None:
    """At an address by which this machine gets there, as it stands in a URL."""
    with listen(report.tried, 0) as listener:
        address = urlsplit(f"http://{local_authority(listener)}")
        assert address.netloc == f"{report.right}:{address.port}"
        with socket.create_connection((address.hostname or "", address.port or 0), 5):
            listener.accept()[0].close()


@needs_ipv6
def test_all_addresses_without_ipv4_are_reached_by_ipv6() -> None:
    """Where `::` is not for both."""
    with socket.create_server(("::", 0), family=socket.AF_INET6) as listener:
        assert local_authority(listener).startswith("[::1]:")


@needs_ipv6
@pytest.mark.parametrize("report", REFUSED, ids=str)
def test_a_foreign_host_is_an_error(
    report: Report[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `serve`, before it makes a database, and for metrics, by the name of the setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(serve, "configure", lambda _: None)
    arguments = ["--host", report.tried, "--port", "8000"]
    with pytest.raises(ConfigError) as caught:
        serve.serve.main(arguments, standalone_mode=False)
    assert str(caught.value) == f"cannot listen on {report.right}"
    assert not list(tmp_path.glob("*.db"))
    with pytest.raises(ConfigError) as caught:
        serve_metrics(replace(SETTINGS, metrics_address=(report.tried, 8000)))
    setting = "TASKSERVICE_METRICS_ADDRESS: cannot listen on"
    assert str(caught.value) == f"{setting} {report.right}"


@needs_ipv6
def test_serve_prints_an_address_that_opens(tmp_path: Path) -> None:
    """And listens on all that `--host` names; all other tests of the command have 127.0.0.1."""
    with running([*COMMAND, "serve", "--host", "::", "--port", "0"], tmp_path) as service:
        printed = urlsplit(service.address)
        assert printed.hostname == "127.0.0.1"
        by_ipv6 = service._replace(address=f"http://[::1]:{printed.port}")
        assert [way("GET", "/livez").status for way in (service, by_ipv6)] == [200, 200]
        assert service.stop() == 0
