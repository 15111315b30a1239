"""The page at ``/docs`` in a browser: it lists the operations, and a try-out does what it says."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from .conftest import CACHE, Api

FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --hide-scrollbars --window-size=1100,900
"""
WAIT = 20
"""Seconds: far more than anything here takes."""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A headless Chromium with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    driver = Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


class Page:
    """The page, by the names that Swagger UI gives to its parts."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def until(self, true: Callable[[], Any]) -> Any:
        return WebDriverWait(self.browser, WAIT).until(lambda _: true())

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        found: WebElement = self.until(lambda: next(iter(self.all(selector)), None))
        return found

    def authorize(self, token: str) -> None:
        self.one(".btn.authorize").click()
        self.one("#auth-bearer-value").send_keys(token)
        self.one(".modal-btn.authorize").click()
        self.one(".btn-done").click()

    def try_out(self, operation: str, body: Any = None) -> tuple[str, Any]:
        """Open an operation, fill in its body, send it: the status, and the answer's JSON."""
        at = f"#operations-Todo-{operation}"
        self.one(f"{at} .opblock-summary-control").click()
        if body is not None:
            field = self.one(f"{at} .body-param__text")
            field.clear()
            field.send_keys(json.dumps(body))
        self.one(f"{at} .execute").click()
        live = f"{at} .live-responses-table .response"
        status = self.one(f"{live} .response-col_status").text.split()[0]
        return status, json.loads(self.one(f"{live} .highlight-code code").text)


def test_the_page(api: Api, browser: Chrome) -> None:
    browser.get(f"{api.url}/docs")
    page = Page(browser)
    page.one(".opblock")
    listed = [tuple(one.text.split("\n")[:2]) for one in page.all(".opblock-summary")]
    paths = json.loads(api.document)["paths"]
    assert sorted(listed) == sorted((verb.upper(), path) for path in paths for verb in paths[path])
    CACHE.mkdir(exist_ok=True)
    browser.save_screenshot(str(CACHE / "docs.png"))

    page.authorize(api.token)
    status, created = page.try_out("createTodo", {"text": "Water the plants"})
    assert (status, created["text"], created["owner"]) == ("201", "Water the plants", "alice")
    assert page.try_out("listTodo") == ("200", {"items": [created], "pagination_key": None})

    # Nothing came from elsewhere, and nothing was kept from it by the Content-Security-Policy.
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [url for url in loaded if not url.startswith(api.url)] == []
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_without_a_token_it_says_so(api: Api, browser: Chrome) -> None:
    browser.get(f"{api.url}/docs/")
    status, answer = Page(browser).try_out("createTodo", {"text": "Water the plants"})
    assert (status, answer["title"]) == ("401", "Unauthorized")
