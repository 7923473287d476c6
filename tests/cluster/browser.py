"""Chromium without a screen, for the tests of the console."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver",)
HINT = "no browser here: the console's tests need chromium and chromedriver (Debian: apt install chromium chromium-driver)"
# Nothing but the page under test may be asked for.
OFFLINE = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
PATIENCE = 30.0
# Between the parts of a text that XPath can only quote in pieces.
APOSTROPHE = """, "'", """
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

Found = TypeVar("Found")


class Page:
    """The console in a browser. Elements are found by what people see or hear: texts, labels, roles."""

    def __init__(self, driver: webdriver.Chrome, pictures: Path) -> None:
        self.driver = driver
        self._pictures = pictures

    def sign_in(self, address: str, user: str = "test:tester", key: str = "testing") -> None:
        """Open the page and sign in: first by a wrong key, which it has to say."""
        self.driver.get(address)
        self.fill("user", user)
        self.fill("key", "wrong")
        self.press("Sign in")
        self.says("The server does not know this user and key.")
        self.fill("key", key)
        self.press("Sign in")
        self.says("New container")

    def until(self, condition: Callable[[], Found], what: str = "") -> Found:
        """Wait until the condition is true and return it. Elements that vanish meanwhile are looked for again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                found = condition()
            except WebDriverException:
                found = None  # type: ignore[assignment]
            if found:
                return found
            if time.monotonic() > deadline:
                self.picture("failure")
                pytest.fail(f"{what or condition} did not come true; the page says:\n{self.text}\n{self.complaints()}")
            time.sleep(0.02)

    def find(self, css: str) -> WebElement:
        """The first element, once it is there."""
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, css), css)

    def all(self, css: str) -> list[WebElement]:
        """All elements that are there now."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def named(self, tag: str, text: str) -> WebElement:
        """The visible element whose text or accessible name is this."""
        parts = [f"'{part}'" for part in text.split("'")]
        literal = f"concat('', {APOSTROPHE.join(parts)})"
        path = f"//{tag}[normalize-space()={literal} or @aria-label={literal}]"
        visible = lambda: next((one for one in self.driver.find_elements(By.XPATH, path) if one.is_displayed()), None)  # noqa: E731
        found = self.until(visible, f"{tag} {text!r}")
        assert found is not None
        return found

    def press(self, text: str, tag: str = "button") -> None:
        """Click it, once that can be done."""
        self.until(lambda: self.named(tag, text).click() or True, f"click on {text!r}")

    def fill(self, name: str, text: str) -> None:
        """Type into the field of this name."""
        field = self.find(f"[name={name}]")
        field.clear()
        field.send_keys(text)

    def says(self, text: str) -> None:
        """Wait until the page shows this text."""
        self.until(lambda: text in self.text, f"the text {text!r}")

    @property
    def text(self) -> str:
        """Everything that can be read now."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def script(self, code: str, *arguments: Any) -> Any:
        """Run a function body in the page; ``done(value)`` ends it."""
        return self.driver.execute_async_script(f"const done = arguments[arguments.length - 1]; {code}", *arguments)

    def dark(self, wanted: bool) -> None:
        """What the system says it prefers."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def phone(self, wanted: bool) -> None:
        """The size of a phone's screen, or the usual one."""
        command = "setDeviceMetricsOverride" if wanted else "clearDeviceMetricsOverride"
        self.driver.execute_cdp_cmd(f"Emulation.{command}", PHONE if wanted else {})

    def slow(self, bytes_per_second: int | None) -> None:
        """Send only so much, or as much as can be."""
        limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second or -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", limits)

    def picture(self, name: str) -> Path:
        """Keep a screenshot."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        path = self._pictures / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path

    def complaints(self) -> list[str]:
        """What the browser complained of since it was asked last: errors in scripts, what the policy on content has stopped.

        An answer that is an error is none: the console asks about maps that have mistakes.
        """
        messages = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in messages if "the server responded with a status of 4" not in message]


@contextmanager
def open_browser(profile: Path, pictures: Path) -> Iterator[Page]:
    """A browser with a profile of its own; skips the test where there is none."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = next(filter(None, map(shutil.which, DRIVERS)), None)
    if not browser or not driver:
        pytest.skip(HINT)
    options = Options()
    options.binary_location = browser
    downloads = {"download.default_directory": str(profile / "downloads")}
    options.add_experimental_option("prefs", downloads)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Its own sandbox needs a user that is not root; nothing but our page is opened in it.
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *OFFLINE):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={profile}")
    options.add_argument("--window-size=1280,900")
    running = webdriver.Chrome(options, Service(driver))
    running.set_script_timeout(PATIENCE)
    try:
        yield Page(running, pictures)
    finally:
        running.quit()
