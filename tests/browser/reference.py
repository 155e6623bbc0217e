"""The reference page as a person uses it: says who they are, opens an operation, tries it out."""

from tests.chromium import DESK, Browser


class Reference:
    """The reference page of the service at `address`, open in a browser."""

    def __init__(
        self, browser: Browser, address: str, size: tuple[int, int] = DESK, scheme: str = "light"
    ) -> None:
        self.browser = browser
        browser.open(f"{address}/docs", size, scheme)
        browser.one(".opblock-post")

    def authorize(self, token: str) -> None:
        """Enter a token."""
        self.browser.click(".btn.authorize")
        self.browser.write(".auth-container input", token)
        self.browser.click(".auth-btn-wrapper .authorize")
        self.browser.click(".auth-btn-wrapper .btn-done")

    def try_out(self, operation: str) -> None:
        """Open an operation's form."""
        self.browser.click(f"[id$='-{operation}'] .opblock-summary-control")
        self.browser.click(f"[id$='-{operation}'] .try-out__btn")
        self.browser.one(f"[id$='-{operation}'] .execute")

    def fill(self, operation: str, selector: str, text: str) -> None:
        """Write a text in place of what stands in a field."""
        self.browser.write(f"[id$='-{operation}'] {selector}", text)

    def execute(self, operation: str) -> str:
        """Send the request, and return the status of its answer."""
        self.browser.click(f"[id$='-{operation}'] .execute")
        return self.status(operation)

    def status(self, operation: str) -> str:
        """Return the status that an answer has, when it is there."""
        answer = f"[id$='-{operation}'] .live-responses-table .response-col_status"
        return self.browser.one(f"{answer}:not(.col_header)").text

    def open_everything(self) -> None:
        """Open each operation's form, and the shapes."""
        self.click_all(".opblock-summary-control", ".try-out__btn")
        self.click_all(".try-out__btn", ".execute")
        self.browser.click(".models-control")

    def click_all(self, control: str, shown: str) -> None:
        """Click on a control of each operation, until each shows what that opens."""
        count = len(self.browser.all(".opblock"))
        click = "document.querySelectorAll(arguments[0]).forEach(one => one.click())"
        self.browser.run(click, control)
        self.browser.until(lambda: len(self.browser.all(shown)) == count)
