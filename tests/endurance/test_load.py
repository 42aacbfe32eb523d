"""Load that lasts: nothing grows, and nothing runs out."""

import os
import re
import subprocess
import threading
import time

import pytest

from tests.endurance.conftest import starts, use, visitor
from tests.stack.conftest import Stack
from tests.support.commands import program
from tests.support.stacks import LONG

pytestmark = pytest.mark.stack

MINUTES = float(os.environ.get("ENDURANCE_MINUTES", "60" if LONG else "1.25"))
# If ports were not reused, 28,000 requests per minute would be the most.
ENOUGH = 28_000 if MINUTES >= 2 else 14_000
PAGES = {"/": 4, "/health/live": 2, "/table": 2}


def load(stack: Stack, path: str, connections: int, seconds: int) -> tuple[int, int]:
    """Load a page; return how many requests were answered, and how many of those with anything but 200."""
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    host = ["-H", f"Host: localhost:{stack.port}"]
    result = subprocess.run(
        [*command, *host, stack.url(path)], capture_output=True, text=True, check=True
    )
    answered = re.search(r"(\d+) requests in", result.stdout)
    assert answered, result.stdout
    wrong = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", result.stdout)))
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", result.stdout
    )
    return int(answered[1]), wrong + (sum(map(int, errors.groups())) if errors else 0)


def test_under_lasting_load_every_request_is_answered_and_nothing_grows(stack: Stack) -> None:
    results: dict[str, tuple[int, int]] = {}
    before = starts(stack)

    def press(path: str, connections: int) -> None:
        results[path] = load(stack, path, connections, round(MINUTES * 60))

    threads = [threading.Thread(target=press, args=item) for item in PAGES.items()]
    with visitor(stack, "/health/ready", 1) as ready:
        for thread in threads:
            thread.start()
        time.sleep(60 if MINUTES >= 2 else 30)
        early = {service: use(stack, service) for service in ("nginx", "backend")}
        time.sleep(MINUTES * 60 - (70 if MINUTES >= 2 else 40))
        late = {service: use(stack, service) for service in ("nginx", "backend")}
        for thread in threads:
            thread.join()
    assert {path: wrong for path, (_, wrong) in results.items()} == dict.fromkeys(PAGES, 0)
    assert sum(answered for answered, _ in results.values()) > ENOUGH, results
    assert set(ready.counts) == {200}
    assert starts(stack) == before
    for service, first in early.items():
        last = late[service]
        assert last.memory < first.memory * 1.25 + (16 << 20), (first, last)
        assert last.descriptors < first.descriptors + 50, (first, last)
        # Ports wait for a minute: after half of one, there are half as many.
        assert last.waiting < first.waiting * (1.5 if MINUTES >= 2 else 3) + 2000, (first, last)
    assert "Cannot assign requested address" not in stack.compose("logs", "nginx")
