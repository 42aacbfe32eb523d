"""Stacks: generated projects, built and started with Docker."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.commands import program, run, succeed, tool
from tests.support.projects import Bake
from tests.support.stacks import MADE, stop_all
from tools.browser import BROWSERS, DRIVER, opened, resize

T = TypeVar("T")
PASSWORD = "a-password-of-the-tests-1"
# Services that do something once, and those that have no health to check.
ONCE = {"release", "nginx-release"}
BACKUPS = {"backup", "backup-files"}
NGINX = ["nginx", "-c", "/srv/nginx/current/nginx.conf"]


def docker_answers() -> bool:
    """Tell whether a Docker engine with Compose answers."""
    commands = [["docker", "info"], ["docker", "compose", "version"]]
    try:
        return all(
            subprocess.run(c, capture_output=True, timeout=60, check=False).returncode == 0
            for c in commands
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="session", autouse=True)
def docker() -> None:
    """Skip if no engine answers; fail if DRYDOCK_REQUIRE_DOCKER is set."""
    if docker_answers():
        return
    reason = "no Docker engine with Compose answers"
    if os.environ.get("DRYDOCK_REQUIRE_DOCKER"):
        pytest.fail(f"DRYDOCK_REQUIRE_DOCKER is set, but {reason}")
    pytest.skip(reason)


# A port that the kernel chooses is also chosen for others between the asking and the use: for the stack of the
# other worker, for a connection to somewhere. Below those that it chooses from, each worker has ports of its own.
PORTS = count(20_000 + 2_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


def free_port() -> int:
    """Return a port that is free, and is not given again."""
    for port in PORTS:
        with socket.socket() as probe, suppress(OSError):
            # As the engine binds it: a port that was closed a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("0.0.0.0", port))  # noqa: S104
            return port
    raise AssertionError  # PORTS does not end.


def eventually(question: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 60) -> T:
    """Ask until the answer is the wanted one or time is up; return the last answer."""
    limit = time.monotonic() + seconds
    while True:
        answer = question()
        if wanted(answer) or time.monotonic() > limit:
            return answer
        time.sleep(0.5)


@dataclass(kw_only=True)
class Stack:
    """A project's containers, and what its users do with them."""

    folder: Path
    port: int = field(default_factory=free_port)
    files: tuple[str, ...] = ("docker-compose.yml",)
    env: dict[str, str] = field(default_factory=dict)

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run docker compose, which may fail."""
        files = [word for name in self.files for word in ("--file", name)]
        env = {"HTTP_PORT": str(self.port), "COMPOSE_PROGRESS": "plain", **self.env}
        return run("docker", "compose", *files, *words, cwd=self.folder, env=env)

    def compose(self, *words: str, check: bool = True) -> str:
        """Run docker compose; return what it printed."""
        result = self.attempt(*words)
        if check and result.returncode:
            logs = self.attempt("logs", "--tail=50").stdout
            pytest.fail(f"docker compose {' '.join(words)}:\n{result.stdout}\n{logs}")
        return result.stdout

    def up(self, *words: str) -> str:
        """Build and start, and wait until all is healthy."""
        return self.compose("up", "--build", "--wait", *words)

    def down(self) -> None:
        """Stop and remove everything, including data and the images that were built."""
        words = ["down", "--volumes", "--remove-orphans", "--timeout", "1"]
        self.compose(*words, check=False)
        # Compose leaves what only another set of the project's files uses.
        ours = f"label=com.docker.compose.project={self.folder.name}"
        for kind, everything in (("container", "--all"), ("volume", ""), ("network", "")):
            listed = ["docker", kind, "ls", *everything.split(), "--quiet", "--filter", ours]
            if left := succeed(*listed, cwd=self.folder).split():
                force = ["--force", "--volumes"] if kind == "container" else []
                run("docker", kind, "rm", *force, *left, cwd=self.folder)
        services = self.attempt("config", "--format", "json")
        if services.returncode == 0:
            rows = json.loads(services.stdout)["services"].values()
            built = {row["image"] for row in rows if "build" in row}
            run("docker", "image", "rm", *sorted(built), cwd=self.folder)

    def config(self) -> dict[str, Any]:
        """Return the configuration as Compose reads it."""
        parsed: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))
        return parsed

    def execute(self, service: str, *words: str, check: bool = True) -> str:
        """Run a command in a running container; return what it printed."""
        return self.compose("exec", "-T", service, *words, check=check)

    def shell(self, script: str) -> str:
        """Run Python in Django's shell, the user model as `User`; return what it printed."""
        start = "from django.contrib.auth import get_user_model; User = get_user_model();"
        words = ["python", "manage.py", "shell", "-v0", "-c", f"{start} {script}"]
        return self.execute("backend", *words).strip()

    def url(self, path: str = "/") -> str:
        """Return the address of a page through nginx."""
        return f"http://127.0.0.1:{self.port}{path}"

    def client(self, **options: Any) -> httpx.Client:  # noqa: ANN401
        """Return an HTTP client that keeps cookies, like a browser."""
        headers = {"Host": f"localhost:{self.port}"}
        return httpx.Client(base_url=self.url(), headers=headers, timeout=40, **options)

    def get(self, path: str = "/", **options: Any) -> httpx.Response:  # noqa: ANN401
        """Ask for a page once."""
        with self.client() as client:
            return client.get(path, **options)

    def status(self, path: str = "/") -> int:
        """Return the status of a page; 0 if no answer comes."""
        try:
            return self.get(path).status_code
        except httpx.TransportError:
            return 0

    def ready(self) -> int:
        """Return the status of the readiness check."""
        return self.status("/health/ready")

    def containers(self, *services: str) -> list[str]:
        """Return the ids of the containers of some services or of all, including those that have ended."""
        return self.compose("ps", "--all", "--quiet", *services).split()

    def inspect(self, *containers: str) -> list[dict[str, Any]]:
        """Return what Docker knows about some containers, or about all."""
        words = containers or tuple(self.containers())
        found: list[dict[str, Any]] = json.loads(
            succeed("docker", "inspect", *words, cwd=self.folder)
        )
        return found

    def add_administrator(self) -> None:
        """Create an administrator, `admin`."""
        words = ["createsuperuser", "--no-input", "--username=admin", "--email=admin@example.com"]
        password = f"DJANGO_SUPERUSER_PASSWORD={PASSWORD}"
        self.compose("exec", "-T", "-e", password, "backend", "python", "manage.py", *words)

    def log_in(self, client: httpx.Client) -> httpx.Response:
        """Log the administrator in through the form."""
        page = client.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text
        form = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": PASSWORD}
        origin = {"Origin": f"http://localhost:{self.port}", "Referer": str(page.url)}
        return client.post("/admin/login/?next=/admin/", data=form, headers=origin)


IDENTITY = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]


def commit(stack: Stack, path: str, change: Callable[[str], str]) -> str:
    """Change a file; return the commit's name."""
    file = stack.folder / path
    file.write_text(change(file.read_text() if file.exists() else ""))
    succeed("git", "add", "--all", cwd=stack.folder)
    succeed("git", *IDENTITY, "commit", "--quiet", "-m", f"Change {path}", cwd=stack.folder)
    return succeed("git", "rev-parse", "--short=12", "HEAD", cwd=stack.folder).strip()


@pytest.fixture(scope="session")
def make_stack(
    bake: Bake, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Callable[..., Stack]]:
    """Return a function that generates a new project for a stack, which ends with its group of tests."""

    def make(
        slug: str,
        files: tuple[str, ...] = ("docker-compose.yml",),
        env: dict[str, str] | None = None,
        **answers: str,
    ) -> Stack:
        folder = tmp_path_factory.mktemp("stack") / slug
        shutil.copytree(bake(project_slug=slug, **answers), folder)
        stack = Stack(folder=folder, files=files, env=env or {})
        stack.down()  # left behind by an interrupted run
        pytestconfig.stash.setdefault(MADE, []).append(stack)
        return stack

    yield make
    stop_all(pytestconfig)


@dataclass
class Browser:
    """A browser, and what it says about pages."""

    driver: Chrome

    def log_in(self, stack: Stack) -> None:
        """Log the administrator in."""
        self.visit(stack, "/admin/login/", "[name=username]")
        self.driver.find_element(By.NAME, "username").send_keys("admin")
        self.driver.find_element(By.NAME, "password").send_keys(PASSWORD)
        self.driver.find_element(By.CSS_SELECTOR, "[type=submit]").click()
        # Opening another page at once can stop the form on its way.
        self.wait_for("#user-tools")

    def open(self, stack: Stack, path: str, sign: str) -> None:
        """Open a page, and fail unless something is on it, and its scripts, files and policy are in order."""
        assert self.visit(stack, path, sign) == [], path

    def show(self, language: str, scheme: str, width: int, stack: Stack) -> None:
        """Be the browser of somebody who reads a language, in light or dark, in a window of a width in pixels."""
        resize(self.driver, width, 900, scheme)
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        self.visit(stack, "/", "body")
        self.driver.add_cookie({"name": "django_language", "value": language})

    def visit(self, stack: Stack, path: str, sign: str, *, again: bool = True) -> list[str]:
        """Return what the console says of a page once something is on it.

        A browser gives up what it is loading when the machine gets a network, and another test makes one at any
        moment. This is not about the page: it is opened again.
        """
        trouble = ""
        try:
            self.driver.get(f"http://localhost:{stack.port}{path}")
            self.wait_for(sign)
        except WebDriverException as error:
            trouble = str(error.msg)
        found = [row["message"] for row in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]
        if again and any("ERR_NETWORK_CHANGED" in message for message in [trouble, *found]):
            return self.visit(stack, path, sign, again=False)
        assert not trouble, (path, trouble, found)
        return found

    def wait_for(self, sign: str) -> None:
        """Wait until something is on the page."""
        wait = WebDriverWait(self.driver, 60)
        wait.until(presence_of_element_located((By.CSS_SELECTOR, sign)), sign)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a headless browser."""
    with opened(program(*BROWSERS), program(DRIVER)) as driver:
        yield Browser(driver)


def serve(stack: Stack, **settings: str) -> None:
    """Make a machine a server as the README says, with a first release."""
    succeed("git", "init", "--quiet", cwd=stack.folder)
    commit(stack, "README.md", lambda text: f"{text}\n")
    succeed("make", "server", cwd=stack.folder)
    with (stack.folder / ".env").open("a") as env:
        for name, value in {"HTTP_PORT": str(stack.port), **settings}.items():
            env.write(f"{name}={value}\n")
    succeed("bin/deploy", cwd=stack.folder)


MOTO = "moto[server]==5.2.5"


@contextmanager
def s3(stack: Stack, bucket: str) -> Iterator[dict[str, str]]:
    """Start a server that speaks S3, with a bucket; return the variables with which containers reach it."""
    port = free_port()
    words = [
        "tool",
        "run",
        "--quiet",
        "--from",
        MOTO,
        "moto_server",
        "-H",
        "0.0.0.0",  # noqa: S104 -- containers ask it
        "-p",
        str(port),
    ]
    (container,) = stack.inspect(*stack.containers("backup-files"))
    (network,) = container["NetworkSettings"]["Networks"].values()

    def make() -> int:
        try:
            return httpx.put(f"http://127.0.0.1:{port}/{bucket}").status_code
        except httpx.TransportError:
            return 0

    with subprocess.Popen(
        [tool("uv"), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            assert eventually(make, lambda code: code == 200, 120) == 200
            yield {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_ENDPOINT_URL": f"http://{network['Gateway']}:{port}",
                "AWS_REGION": "us-east-1",
                "AWS_SECRET_ACCESS_KEY": "b",
            }
        finally:
            server.terminate()


@contextmanager
def collector(stack: Stack) -> Iterator[list[bytes]]:
    """Let the backends send their traces to a server, as long as it runs; yield what it receives."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    (container,) = stack.inspect(*stack.containers("nginx"))
    (network,) = container["NetworkSettings"]["Networks"].values()
    with ThreadingHTTPServer(("0.0.0.0", 0), Handler) as server:  # noqa: S104 -- containers ask it
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{network['Gateway']}:{server.server_port}"
        stack.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = address
        stack.compose("up", "--wait")
        yield received
        server.shutdown()


def trace(stack: Stack, path: str, received: list[bytes], **headers: str) -> str:
    """Ask for a page that is not there; return the id of its trace, when it has arrived."""
    assert stack.get(path, headers=headers).status_code == 404
    ids = {}
    for service, sign in (("nginx", f'"uri":"{path}"'), ("backend", f'"Not Found: {path}"')):
        lines = stack.compose("logs", "--no-log-prefix", service).splitlines()
        (line,) = [json.loads(line) for line in lines if sign in line]
        ids[service] = line["trace_id"]
    assert ids["nginx"] == ids["backend"]
    sent = bytes.fromhex(ids["nginx"])
    assert eventually(lambda: any(sent in body for body in received), bool, 20)
    return str(ids["nginx"])
