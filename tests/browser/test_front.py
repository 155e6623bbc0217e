"""The front page and the pages of problems in a real browser."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from tests.browser.conftest import Deployed
from tests.browser.prefixed import under
from tests.chromium import DESK, PHONE, Browser
from tests.databases import Database
from tests.http_callers import SETTINGS
from tests.processes import gunicorn
from tests.secret_values import SECRET
from tests.tcp_proxy import tcp_proxy

from taskservice import __version__
from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app
from taskservice.testing.server import serving

pytestmark = pytest.mark.browser


def await_verdict(browser: Browser, verdict: str) -> None:
    """Return when the front page says so."""
    browser.until(lambda: browser.one(".verdict").text == verdict, verdict)


def checks(browser: Browser) -> list[str]:
    return [check.text for check in browser.all(".checks li")]


@pytest.mark.parametrize("prefix", ["", "/to-do"])
def test_it_says_that_the_service_is_ready(
    browser: Browser, deployed: Deployed, prefix: str
) -> None:
    """As `/readyz` says it, with nothing asked of anybody else, and a silent console."""
    with under(prefix, deployed.address) as address:
        browser.open(f"{address}/")
        await_verdict(browser, "Ready")
        asked = {request["url"] for request in browser.requests()}
    assert checks(browser) == ["database: ok", "schema: ok", "keys: ok"]
    assert __version__ in browser.one("h1").text
    assert f"{address}/readyz" in asked
    assert {url for url in asked if not url.startswith(f"{address}/")} == set()
    assert browser.complaints() == []


def test_it_follows_the_service(browser: Browser, database: Database, tmp_path: Path) -> None:
    """A database that goes and comes back, a service that ends: the page says so by itself."""
    with tcp_proxy(database.service) as (proxy, address):
        settings = {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET}
        with gunicorn(tmp_path, **settings) as service:
            browser.open(f"{service.address}/")
            await_verdict(browser, "Ready")
            proxy.is_cut = True
            proxy.cut()
            await_verdict(browser, "Not ready")
            assert "database: unavailable" in checks(browser)
            proxy.is_cut = False
            await_verdict(browser, "Ready")
            assert service.stop() == 0
        await_verdict(browser, "Unreachable")
        assert checks(browser) == []


def test_without_scripts_it_leads_to_the_answer(browser: Browser, deployed: Deployed) -> None:
    """Where scripts are off, the page says where to ask."""
    browser.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{deployed.address}/")
        assert browser.one(".verdict a").text == "Check readiness"
        browser.one(".verdict a").click()
        assert '"status":"ready"' in browser.one("body").text
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", value=False)


def test_what_was_looked_at_is_text(browser: Browser) -> None:
    """A part whose name is markup is shown as it is called."""
    name = "<img src=x onerror=document.title=1>"
    app = create_app(InMemoryStorage().open_workspace, SETTINGS, {name: lambda: None})
    with serving(app) as address:
        browser.open(f"{address}/")
        await_verdict(browser, "Ready")
    assert f"{name}: ok" in checks(browser)
    assert (browser.driver.title, browser.all(".checks img")) == ("taskservice", [])


def test_a_keyboard_reaches_every_address(browser: Browser, deployed: Deployed) -> None:
    """One stop for each, in their order, and the focus is always seen."""
    browser.open(f"{deployed.address}/")
    await_verdict(browser, "Ready")
    stops = []
    for _ in range(4):
        browser.press(Keys.TAB)
        stops.append(browser.focused.get_attribute("href"))
        assert browser.focus_is_seen
    paths = [str(stop).removeprefix(deployed.address) for stop in stops]
    assert paths == ["/docs", "/openapi.json", "/readyz", "/livez"]
    browser.press(Keys.ENTER)
    browser.until(lambda: browser.driver.current_url == f"{deployed.address}/livez")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("path", ["/", "/problems/unsupported-media-type"])
def test_the_page_is_accessible(
    browser: Browser, deployed: Deployed, path: str, size: tuple[int, int], scheme: str
) -> None:
    """Every rule of axe-core, in any colours, and nothing to scroll sideways at 360 pixels."""
    browser.open(f"{deployed.address}{path}", size, scheme)
    if path == "/":
        await_verdict(browser, "Ready")
    assert browser.barriers() == []
    assert browser.overflow == 0
    assert browser.complaints() == []


def test_files_are_fetched_once(browser: Browser, deployed: Deployed) -> None:
    """The second page takes all of them from the browser's own cache."""
    fetched = []
    for _ in range(2):
        browser.open(f"{deployed.address}/docs")
        browser.one(".opblock-post")
        fetched.append(
            [
                message["params"]["response"]["url"]
                for message in browser.messages()
                if message["method"] == "Network.responseReceived"
                and not message["params"]["response"].get("fromDiskCache")
                and "?v=" in message["params"]["response"]["url"]
            ]
        )
    assert (len(fetched[0]), fetched[1]) == (6, [])
