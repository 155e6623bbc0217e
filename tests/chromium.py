"""A real browser: Debian's Chromium without a window, which reaches this machine and no other."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from tests.parent_death_signal import die_with_parent
from tests.processes import ROOT

Found = TypeVar("Found")

SECONDS = 30
PHONE = (360, 740)
DESK = (1280, 900)
AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# The driver ends Chromium when it ends; over a pipe, Chromium ends when the driver is killed too.
ARGUMENTS = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-proxy-server",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--lang=en-GB",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]

_AUDIT = """
const [rules, done] = arguments;
axe.run(rules ? {runOnly: rules} : {}).then(({violations}) => done(
  violations.flatMap(({id, nodes}) => nodes.map((node) =>
    `${id}: ${node.target.join(" ")}: ${node.failureSummary.split("\\n")[1].trim()}`))));
"""

_STILL = """
const [element, done] = arguments;
element.scrollIntoView({block: "center", behavior: "instant"});
let before = "";
function look() {
  const {x, y} = element.getBoundingClientRect();
  if (before === `${x} ${y}`) return done();
  before = `${x} ${y}`;
  setTimeout(look, 50);
}
look();
"""

_RING = """
const style = getComputedStyle(document.activeElement);
return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
"""


class Browser:
    """One window of Chromium: what a person sees and does there, and what it asks for."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, address: str, size: tuple[int, int] = DESK, scheme: str = "light") -> None:
        """Go to a page, as it is for a screen of that size and a person's taste of colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.tell("Emulation.setEmulatedMedia", features=features)
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", **metrics)
        self.tell("Emulation.setScrollbarsHidden", hidden=size == PHONE)
        self.tell("Emulation.setFocusEmulationEnabled", enabled=True)
        self.driver.get("about:blank")
        self.complaints()
        self.messages()
        self.driver.get(address)

    def tell(self, command: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script says, run in the page."""
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        """Return every element that is shown."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return [element for element in found if element.is_displayed()]

    def one(self, selector: str) -> WebElement:
        """Return the first element that is shown, when it is shown."""
        return self.until(lambda: self.all(selector), selector)[0]

    def until(self, look: Callable[[], Found], what: str = "") -> Found:
        """Return what `look` finds, when it finds something."""
        return WebDriverWait(self.driver, SECONDS, 0.05).until(lambda _: look(), what)

    def click(self, selector: str) -> None:
        """Click on the first element that is shown, once it stands still."""
        element = self.one(selector)
        self.driver.execute_async_script(_STILL, element)
        element.click()

    def write(self, selector: str, text: str) -> None:
        """Write a text in place of what stands in a field."""
        self.click(selector)
        self.overwrite(text)

    def overwrite(self, text: str) -> None:
        """Type a text in place of all that stands where the focus is."""
        select_all = ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a")
        select_all.key_up(Keys.CONTROL).send_keys(text).perform()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    @property
    def focus_is_seen(self) -> bool:
        """Whether what has the focus has a ring of two pixels or more around it."""
        return bool(self.run(_RING))

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return int(
            self.run(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def complaints(self) -> list[str]:
        """Return what the console has said since the last time: errors, refusals of the policy."""
        return [line["message"] for line in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def messages(self) -> list[dict[str, Any]]:
        """Return what went over the network since the last time, as DevTools tells it."""
        lines = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        return [json.loads(line["message"])["message"] for line in lines]

    def requests(self) -> list[dict[str, Any]]:
        """Return each request since the last time that was for the network."""
        asked = [
            message["params"]["request"]
            for message in self.messages()
            if message["method"] == "Network.requestWillBeSent"
        ]
        return [request for request in asked if not request["url"].startswith("data:")]

    def barriers(self, *rules: str) -> list[str]:
        """Return what axe-core finds that keeps somebody out, by some rules or by all of them."""
        self.tell("Runtime.evaluate", expression=AXE.read_text())
        found: list[str] = self.driver.execute_async_script(_AUDIT, list(rules) or None)
        return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser until the block ends."""
    options = ChromeOptions()
    options.binary_location = program("chromium")
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Driver(program("chromedriver"), popen_kw={"preexec_fn": die_with_parent})
    driver = Chrome(options, service)
    try:
        driver.set_script_timeout(SECONDS)
        yield Browser(driver)
    finally:
        driver.quit()


def program(name: str) -> str:
    """Return where a program is, or fail with what to do."""
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"no {name}: install Debian's packages chromium and chromium-driver")
    return found
