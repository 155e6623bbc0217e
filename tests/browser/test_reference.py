"""The reference page in a real browser: it needs no network, and what it does is done."""

from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys
from sqlalchemy import text
from tests.browser.conftest import Deployed
from tests.browser.prefixed import under
from tests.browser.reference import Reference
from tests.chromium import DESK, PHONE, WCAG, Browser
from tests.http_callers import token_of

pytestmark = pytest.mark.browser

STOPS = 60


def stored(deployed: Deployed, user: str) -> list[str]:
    """Return the titles of a user's tasks, as they stand in the database."""
    engine = deployed.database.superuser_engine
    with engine.connect() as connection:
        select = text("SELECT title FROM tasks WHERE user_id = :user ORDER BY id")
        titles = list(connection.execute(select, {"user": user}).scalars())
    engine.dispose()
    return titles


def listed(deployed: Deployed, user: str) -> list[str]:
    """Return the titles of a user's tasks, as the API lists them."""
    answer = deployed.service("GET", f"/api/tasks/{user}/tasks?sort=created_at", token_of(user))
    return [task["title"] for task in answer.json]


def operations(deployed: Deployed) -> int:
    """Return how many operations the served document has."""
    paths = deployed.service("GET", "/openapi.json").json["paths"]
    return sum("operationId" in operation for path in paths.values() for operation in path.values())


def create(reference: Reference, user: str, title: str) -> str:
    """Create a task by "Try it out"."""
    reference.try_out("create_task")
    reference.fill("create_task", "[data-param-name=user_id] input", user)
    reference.fill("create_task", "textarea", f'{{"title": "{title}"}}')
    return reference.execute("create_task")


def test_it_needs_no_other_network(browser: Browser, deployed: Deployed) -> None:
    """All that it asks for is here, every operation is shown, and the console is silent."""
    Reference(browser, deployed.address)
    assert len(browser.all(".opblock")) == operations(deployed)
    asked = [request["url"] for request in browser.requests()]
    assert f"{deployed.address}/openapi.json" in asked
    assert {url for url in asked if not url.startswith(f"{deployed.address}/")} == set()
    assert browser.complaints() == []


def test_the_watch_sees_what_the_policy_refuses(browser: Browser, deployed: Deployed) -> None:
    """An inline script or style and what is elsewhere are refused, and the tests hear of it."""
    Reference(browser, deployed.address)
    for refused in (
        "const e = document.createElement('script'); e.textContent = 'window.ran = 1'",
        "const e = document.createElement('style'); e.textContent = 'body { color: red }'",
        "const e = document.createElement('img'); e.src = 'http://127.0.0.2/x'",
    ):
        browser.run(f"{refused}; document.body.append(e)")
        (complaint,) = browser.until(browser.complaints)
        assert "Content Security Policy" in complaint
    assert browser.run("return window.ran") is None


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_trying_out_creates_a_task(
    browser: Browser, deployed: Deployed, size: tuple[int, int]
) -> None:
    """ "Authorize" and "Try it out" are the real thing: the task is listed, and in the database."""
    user = f"tries-out-{size[0]}"
    reference = Reference(browser, deployed.address, size)
    reference.authorize(token_of(user))
    assert create(reference, user, "By mouse") == "201"
    assert listed(deployed, user) == stored(deployed, user) == ["By mouse"]
    assert {url for url in urls(browser) if not url.startswith(f"{deployed.address}/")} == set()
    assert browser.complaints() == []


def urls(browser: Browser) -> list[str]:
    return [request["url"] for request in browser.requests()]


def test_without_a_token_nothing_is_done(browser: Browser, deployed: Deployed) -> None:
    """The page has no rights of its own."""
    assert create(Reference(browser, deployed.address), "nobody", "By nobody") == "401"
    assert stored(deployed, "nobody") == []


def test_only_what_was_filled_in_is_sent(browser: Browser, deployed: Deployed) -> None:
    """No example of a key or a tag goes along: to create twice is to have two, a list is whole."""
    reference = Reference(browser, deployed.address)
    reference.authorize(token_of("twice"))
    assert create(reference, "twice", "Again") == "201"
    browser.click("[id$='-create_task'] .btn-clear")
    assert reference.execute("create_task") == "201"
    assert stored(deployed, "twice") == ["Again", "Again"]
    reference.try_out("list_tasks")
    reference.fill("list_tasks", "[data-param-name=user_id] input", "twice")
    assert reference.execute("list_tasks") == "200"
    (asked,) = [each for each in browser.requests() if "limit=100" in each["url"]]
    assert asked["url"] == f"{deployed.address}/api/tasks/twice/tasks?limit=100&sort=-created_at"
    assert not {"Prefer", "Idempotency-Key"} & asked["headers"].keys()


def test_a_keyboard_is_enough(browser: Browser, deployed: Deployed) -> None:
    """From the top of the page to a task: by Tab, Enter and text, and the focus is always seen."""
    Reference(browser, deployed.address)
    reach(browser, "Authorize")
    browser.press(Keys.ENTER)
    browser.one(".auth-container input")
    browser.press(token_of("keyboard"), Keys.ENTER)
    reach(browser, "Close")
    browser.press(Keys.ENTER)
    reach(browser, "Create a task.")
    browser.press(Keys.ENTER)
    browser.one(".try-out__btn")
    reach(browser, "Try it out")
    browser.press(Keys.ENTER)
    reach(browser, "user_id")
    browser.overwrite("keyboard")
    reach(browser, "Request body")
    browser.overwrite('{"title": "By keyboard"}')
    reach(browser, "Execute")
    browser.press(Keys.ENTER)
    browser.one(".live-responses-table")
    assert listed(deployed, "keyboard") == stored(deployed, "keyboard") == ["By keyboard"]
    assert browser.complaints() == []


def reach(browser: Browser, name: str) -> None:
    """Press Tab until the focus is on what has `name` in its name; it is seen at every stop."""
    passed = []
    for _ in range(STOPS):
        browser.press(Keys.TAB)
        called = browser.focused.accessible_name
        assert browser.focus_is_seen, browser.focused.get_attribute("outerHTML")
        if name in called:
            return
        passed.append(called)
    raise AssertionError(f"{name} is not among {passed}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    browser: Browser, deployed: Deployed, size: tuple[int, int], scheme: str
) -> None:
    """With everything open, in any colours: WCAG 2.2, A and AA, as far as axe-core can tell."""
    reference = Reference(browser, deployed.address, size, scheme)
    browser.click(".btn.authorize")
    browser.one(".auth-container input")
    assert browser.barriers(*WCAG) == []
    browser.press(Keys.TAB, Keys.TAB, Keys.ENTER)
    browser.until(lambda: not browser.all(".auth-container"))
    reference.open_everything()
    assert reference.execute("readyz") == "200"
    assert browser.barriers(*WCAG) == []


@pytest.mark.timeout(300)
def test_it_fits_a_phone(browser: Browser, deployed: Deployed) -> None:
    """At 360 pixels, with everything open: nothing is out of sight, and each field has room."""
    reference = Reference(browser, deployed.address, PHONE)
    reference.open_everything()
    assert reference.execute("readyz") == "200"
    assert browser.overflow == 0
    controls = boxes(browser, "button, input, select, textarea, a[href]")
    assert len(controls) > 10 * operations(deployed)
    assert [one for one in controls if one["left"] < 0 or one["right"] > PHONE[0]] == []
    fields = boxes(browser, ".parameters input, .body-param textarea")
    assert min(field["right"] - field["left"] for field in fields) > PHONE[0] * 2 / 3


def boxes(browser: Browser, selector: str) -> list[dict[str, Any]]:
    """Return the text of elements, and where their edges are."""
    found: list[dict[str, Any]] = browser.run(
        "return [...document.querySelectorAll(arguments[0])].map(one => {"
        " const {left, right} = one.getBoundingClientRect();"
        " return {text: one.outerHTML.slice(0, 100), left, right}; })",
        selector,
    )
    return found


def test_it_works_under_a_prefix(browser: Browser, deployed: Deployed) -> None:
    """Behind a proxy that serves it elsewhere and says so, everything is found there."""
    with under("/to-do", deployed.address) as address:
        reference = Reference(browser, address)
        reference.authorize(token_of("prefixed"))
        assert create(reference, "prefixed", "From elsewhere") == "201"
        assert {url for url in urls(browser) if not url.startswith(f"{address}/")} == set()
        assert browser.complaints() == []
    assert listed(deployed, "prefixed") == ["From elsewhere"]
