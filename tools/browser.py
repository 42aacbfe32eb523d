"""Chromium or Chrome, without a window."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
MISSING = "Chromium or its driver is missing: apt install chromium chromium-driver fonts-noto-cjk"


def installed() -> tuple[str, str] | None:
    """Return the paths of a browser and of its driver, if both are here."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which(DRIVER)
    return (program, driver) if program and driver else None


@contextmanager
def opened(program: str, driver: str) -> Iterator[Chrome]:
    """Start a browser that asks nobody for anything but pages, by the paths of it and of its driver."""
    options = ChromeOptions()
    options.binary_location = program
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                 "disable-background-networking", "disable-component-update", "disable-sync",
                 "accept-lang=en", "window-size=1280,900"):  # fmt: skip
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options=options, service=ChromeService(executable_path=driver)) as browser:
        yield browser


def resize(browser: Chrome, width: int, height: int, scheme: str = "light") -> None:
    """Give pages a width and a height in pixels, and a scheme: light or dark."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
