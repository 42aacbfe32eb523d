"""A generated project in production, treated like a real server: every request is accounted for."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.stack.conftest import Stack, docker, eventually, make_stack
from tests.support.catalogue import CATALOGUE
from tests.support.commands import succeed
from tests.support.stacks import LONG, STACKS, servers

__all__ = ["docker", "make_stack"]

# Pages that a site may have in addition to those of the project.
PAGES = '''
"""The pages of the project, and some that put it to a test."""

import threading, time
from django.db import connection
from django.http import HttpResponse, HttpResponseForbidden, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from config.site_urls import urlpatterns as site

handler500 = "config.health.server_error"

def big(request):
    block = b"x" * (1 << 16)
    count = int(request.GET["megabytes"]) << 4
    response = StreamingHttpResponse((block for _ in range(count)), content_type="text/plain")
    response["Content-Length"] = str(count << 16)
    return response

def cookies(request):
    response = HttpResponse("with cookies")
    for name in request.GET["names"].split(","):
        response.set_cookie(name, "x" * 3900)
    return response

@csrf_exempt
def refuse(request):
    return HttpResponseForbidden("refused by Django")

def slow(request):
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse("slow but sure")

def table(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM accounts_user")
        return HttpResponse(str(cursor.fetchone()[0]))

urlpatterns = [
    path("big", big), path("cookies", cookies), path("refuse", refuse), path("slow", slow), path("table", table), *site
]
'''
COMPOSE = """\
services:
  backend:
    volumes: ["./pages.py:/app/config/urls.py:ro", "./config/urls.py:/app/config/site_urls.py:ro"]
"""


@dataclass
class Answers:
    """The answers that a client got: a status or the name of an error, and the seconds it took."""

    rows: list[tuple[int | str, float]] = field(default_factory=list)

    def ask(self, client: httpx.Client, path: str, method: str = "GET", **options: Any) -> None:  # noqa: ANN401
        """Ask once, and keep the answer."""
        started = time.monotonic()
        try:
            status: int | str = client.request(method, path, **options).status_code
        except httpx.HTTPError as error:
            status = type(error).__name__
        self.rows.append((status, time.monotonic() - started))

    @property
    def counts(self) -> dict[int | str, int]:
        """Return how often each status came."""
        return dict(Counter(status for status, _ in self.rows))

    @property
    def slowest(self) -> float:
        """Return the seconds of the slowest answer."""
        return max(seconds for _, seconds in self.rows)

    def within(self, limit: float) -> float:
        """Return the share of the answers that took less than some seconds."""
        return sum(seconds < limit for _, seconds in self.rows) / len(self.rows)


def patient(stack: Stack) -> httpx.Client:
    """Return a client that waits longer than the site ever takes."""
    headers = {"Host": f"localhost:{stack.port}"}
    limits = httpx.Limits(max_connections=None)
    return httpx.Client(base_url=stack.url(), headers=headers, timeout=60, limits=limits)


@contextmanager
def visitor(stack: Stack, path: str, pause: float = 0.1) -> Iterator[Answers]:
    """Ask for a page again and again during the block, at least once."""
    answers = Answers()
    over = threading.Event()

    def visit() -> None:
        with patient(stack) as client:
            answers.ask(client, path)
            while not over.wait(pause):
                answers.ask(client, path)

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def at_once(
    stack: Stack,
    count: int,
    path: str,
    threads: int | None = None,
    **options: Any,  # noqa: ANN401
) -> Answers:
    """Ask many times at the same time."""
    answers = Answers()
    with patient(stack) as client, ThreadPoolExecutor(threads or count) as pool:
        for _ in range(count):
            pool.submit(answers.ask, client, path, **options)
    return answers


def starts(stack: Stack) -> dict[str, str]:
    """Return when each container started, and how often it was restarted."""
    return {
        row[
            "Name"
        ]: f"{row['State']['StartedAt']} {row['RestartCount']} {row['State']['OOMKilled']}"
        for row in stack.inspect()
    }


def inside(stack: Stack, service: str, command: str) -> str:
    """Run a shell command in every container of a service; return what they print."""
    words = ["sh", "-c", command]
    found = [
        succeed("docker", "exec", name, *words, cwd=stack.folder)
        for name in stack.containers(service)
    ]
    return "".join(found)


def server(question: str, answers: dict[str, str]) -> str:
    """Return the name of the service for a question; skip if there is none."""
    name = answers[question]
    if not CATALOGUE[f"_{question}s"][name]["image"]:
        pytest.skip(f"there is no server for the {question}")
    return name


@contextmanager
def frozen(stack: Stack, service: str) -> Iterator[None]:
    """Freeze a service: it accepts connections, but never answers."""
    names = stack.containers(service)
    succeed("docker", "pause", *names, cwd=stack.folder)
    try:
        yield
    finally:
        succeed("docker", "unpause", *names, cwd=stack.folder)


@contextmanager
def cut_off(stack: Stack, service: str) -> Iterator[None]:
    """Take a service off its network: nothing that is sent to it arrives."""
    (name,) = stack.containers(service)
    network = f"{stack.config()['name']}_data"
    succeed("docker", "network", "disconnect", network, name, cwd=stack.folder)
    try:
        yield
    finally:
        words = ["docker", "network", "connect", "--alias", service, network, name]
        succeed(*words, cwd=stack.folder)


# Tests of the application server alone run on its first stack only; `make endurance` runs them on all.
OF_THE_SERVER = ("test_api", "test_clients", "test_load")
FIRST = {answers["app_server"]: name for name, answers in reversed(STACKS.items())}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the short form, leave out what another stack shows."""
    left_out = [
        item
        for item in items
        if item.path.stem in OF_THE_SERVER
        and isinstance(item, pytest.Function)
        and item.callspec.params["answers"] not in FIRST.values()
    ]
    if left_out and not LONG:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


TROUBLES: dict[str, Callable[..., Any]] = {"frozen": frozen, "cut off": cut_off}


# In the gate, one stack for each application server.
SERVERS = {
    row["app_server"]: name for name, row in reversed(STACKS.items()) if servers(row, CATALOGUE)
}


@pytest.fixture(scope="session", params=STACKS if LONG else SERVERS.values())
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the answers for one stack after the other."""
    return STACKS[request.param]


@pytest.fixture(scope="session")
def stack(answers: dict[str, str], make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a running stack with the pages above; it ends with its tests."""
    stack = make_stack(f"endurance_{answers['database']}", **answers)
    (stack.folder / "pages.py").write_text(PAGES)
    (stack.folder / "docker-compose.pages.yml").write_text(COMPOSE)
    stack.files = (*stack.files, "docker-compose.pages.yml")
    stack.up()
    yield stack
    stack.down()


@pytest.fixture(autouse=True)
def well(stack: Stack) -> Iterator[None]:
    """Fail unless the site is healthy before and after each test."""
    assert eventually(stack.ready, lambda status: status == 200, 30) == 200
    yield
    assert eventually(stack.ready, lambda status: status == 200, 30) == 200


@dataclass(frozen=True)
class Use:
    """The resources that a service uses."""

    memory: int
    descriptors: int
    waiting: int


def use(stack: Stack, service: str) -> Use:
    """Return a service's memory without the cache of files, its open descriptors, and its TIME_WAIT sockets."""
    script = (
        # The second file is that of cgroup v1.
        "cat /sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat 2>/dev/null "
        "| awk '$1 ~ /^(anon|rss)$/ {print $2; exit}'; "
        "ls -d /proc/[0-9]*/fd/* 2>/dev/null | wc -l; "
        "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == \"06\"' | wc -l"
    )
    memory, descriptors, waiting = map(int, inside(stack, service, script).split())
    return Use(memory, descriptors, waiting)
