"""Time how long a visitor with an empty cache waits until something is on the page, in a stack of production.

The stack has the default answers, the sample application and a day of readings. The browser runs already, as a
visitor's does, and has no file of the site in a cache, and no cookie. The figure is its first contentful paint, from the
beginning of the navigation; beside it stands when the first byte came. The pages take turns. Each is asked for once
before, so that no figure is of a backend's first request: bench/start.py measures that. Browser and stack are on one
machine: there is no network between them, and they share its processors.

Prints milliseconds; exits with 1 when the median of a page is over the limit.

Needs Docker with Compose, Chromium and its driver.

    python bench/paint.py                                   # 5 rounds, about a minute
    python bench/paint.py --rounds 15
"""

import argparse
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait
from serving import ROOT, Failure, end, ending, free_port, get, positive, project, say

sys.path.insert(0, str(ROOT))
from tools.browser import MISSING, installed, opened, resize

LIMIT = 300
SIZE = (1280, 800)
# Page -> path, status.
PAGES = {
    "landing page": ("/", 200),
    "list": ("/districts/", 200),
    "empty list": ("/districts/?q=nowhere", 200),
    "detail": ("/districts/01/", 200),
    "not found": ("/nowhere/", 404),
    "sign-in": ("/accounts/login/", 200),
}
PAINTED = """
const [page] = performance.getEntriesByType("navigation");
const [paint] = performance.getEntriesByName("first-contentful-paint");
return paint && [page.responseStart, paint.startTime];
"""


@dataclass(frozen=True)
class Paint:
    """When the first byte of a page came, and when there was something to see, in milliseconds."""

    byte: float
    paint: float


def measure(browser: Chrome, url: str) -> Paint:
    """Open a page with an empty cache."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    browser.get(url)
    return Paint(*WebDriverWait(browser, 20).until(lambda one: one.execute_script(PAINTED)))


def report(pages: Mapping[str, Sequence[Paint]]) -> list[str]:
    """Print the figures; return the pages that miss the limit."""
    print(f"\n{'first paint, ms':18}{'median':>8}{'slowest':>9}{'limit':>7}{'first byte':>12}")
    missed = []
    for page, paints in pages.items():
        median = statistics.median(one.paint for one in paints)
        slowest = max(one.paint for one in paints)
        byte = statistics.median(one.byte for one in paints)
        print(f"{page:18}{median:8.0f}{slowest:9.0f}{LIMIT:7}{byte:12.0f}")
        if median > LIMIT:
            missed.append(f"{page}: {median:.0f} ms is more than {LIMIT}")
    return missed


@ending
def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, default=5, help="openings of each page (5)")
    options = parser.parse_args()
    programs = installed()
    if programs is None:
        parser.error(MISSING)
    signal.signal(signal.SIGTERM, end)
    load = os.getloadavg()[0]
    port = free_port()
    paints: dict[str, list[Paint]] = {page: [] for page in PAGES}
    with (
        tempfile.TemporaryDirectory() as name,
        project(Path(name), "bench_paint", {"HTTP_PORT": f"127.0.0.1:{port}"}) as one,
    ):
        say("Building and starting")
        one.compose("up", "--build", "--wait", "--detach")
        one.compose("exec", "-T", "backend", "python", "manage.py", "seed_readings")
        for path, status in PAGES.values():
            if (found := get(port, path)[0]) != status:
                raise Failure(f"{path}: the status is {found}")
        with opened(*programs) as browser:
            resize(browser, *SIZE)
            for number in range(1, options.rounds + 1):
                for page, (path, _) in PAGES.items():
                    paint = measure(browser, f"http://localhost:{port}{path}")
                    paints[page].append(paint)
                    say(f"[{number}/{options.rounds}] {page}: {paint.paint:.0f} ms")
    if load > 0.5:
        print(
            f"Something else was running on this machine: its load was {load:.1f} before the start."
        )
    missed = report(paints)
    for line in missed:
        print(f"MISSED: {line}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
