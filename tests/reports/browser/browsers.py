"""A real browser without a window, that looks at pages from files and is allowed nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
WIDE, PHONE = (1360, 900), (390, 844)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="chromium and chromedriver are not there (Debian: apt install chromium chromium-driver)",
)


class Browser:
    """Shows one page at a time.

    Args:
        driver: of the browser.
        folder: for the pages.
    """

    def __init__(self, driver: Chrome, folder: Path) -> None:
        self.driver = driver
        self._folder = folder

    def show(
        self, html: str, size: tuple[int, int] = WIDE, scheme: str = "light", media: str = "screen"
    ) -> None:
        """Load a page at a size in CSS pixels, with what the reader's system asks for."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        page = self._folder / "page.html"
        page.write_text(html, encoding="utf-8")
        self.driver.get("about:blank")
        self.driver.get(page.as_uri())

    def complaints(self) -> list[Any]:
        """What the browser logged: errors of scripts, of what could not be loaded, and of the page's own policy."""
        return list(self.driver.get_log("browser"))  # type: ignore[no-untyped-call]

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        return self.driver.execute_script(f"return {expression}")

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is: a character, or a name of selenium's ``Keys``."""
        ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def hover(self, selector: str) -> None:
        """Move the pointer onto the middle of an element."""
        box = self.ask(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect(); "
            f"return [b.x + b.width / 2, b.y + b.height / 2]; }})(document.querySelector({selector!r}))"
        )
        self.driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent", {"type": "mouseMoved", "x": box[0], "y": box[1]}
        )

    def click(self, selector: str) -> None:
        """Click an element."""
        self.ask(f"document.querySelector({selector!r}).click()")

    def text(self, selector: str) -> str:
        """The text of an element as it is shown."""
        return str(self.ask(f"document.querySelector({selector!r}).innerText"))

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements."""
        return list(self.ask(f"[...document.querySelectorAll({selector!r})].map(e => e.innerText)"))

    def screenshot(self) -> bytes:
        """What is in the window, as PNG."""
        return self.driver.get_screenshot_as_png()


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Start a browser, and end it."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()
