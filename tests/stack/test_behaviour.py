"""What happens in production besides requests: releases, restarts, replicas, proxies, neighbours."""

import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from tests.stack.conftest import Stack, eventually
from tests.support.catalogue import CATALOGUE, CHOICES
from tests.support.commands import run, succeed
from tests.support.projects import lint_commands
from tests.support.stacks import DEVELOPMENTS

pytestmark = pytest.mark.stack

MakeStack = Callable[..., Stack]

# Pages for the tests: one is slow, one says which container answers and what it was told.
URLS = """
import socket, time
from django.http import HttpResponse, JsonResponse
from django.urls import path

def slow(request):
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse("slow but sure")

def who(request):
    told = {name: request.META.get(name) for name in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR")}
    return JsonResponse({"host": socket.gethostname(), "secure": request.is_secure(), **told})

urlpatterns = [path("slow", slow), path("who", who)]
"""


def with_pages(stack: Stack) -> Stack:
    """Add the pages above to a stack, in a separate Compose file."""
    (stack.folder / "pages.py").write_text(URLS)
    (stack.folder / "docker-compose.pages.yml").write_text(
        "services: {backend: {volumes: ['./pages.py:/app/config/urls.py:ro']}}\n"
    )
    stack.files = (*stack.files, "docker-compose.pages.yml")
    return stack


@pytest.fixture(scope="module", params=CHOICES["app_server"])
def served(request: pytest.FixtureRequest, make_stack: MakeStack) -> Iterator[Stack]:
    """Return a stack with the pages and without other servers, for each application server."""
    slug = f"served_{request.param}"
    stack = make_stack(slug, database="sqlite", cache="locmem", app_server=request.param)
    yield with_pages(stack)
    stack.down()


@pytest.fixture
def up(served: Stack) -> Stack:
    """Return the stack, running as it was generated."""
    served.env.clear()
    served.up("--remove-orphans")
    return served


def test_a_stop_loses_no_request_in_flight(up: Stack) -> None:
    answers: list[str] = []
    ask = [
        threading.Thread(target=lambda: answers.append(up.get("/slow?seconds=5").text))
        for _ in range(2)
    ]
    for thread in ask:
        thread.start()
    time.sleep(1.5)  # until a worker has both
    started = time.monotonic()
    up.compose("stop", "backend")
    for thread in ask:
        thread.join()
    assert answers == ["slow but sure"] * 2
    assert time.monotonic() - started < 30, "it was killed at the end of the grace period"
    assert ":143" not in up.compose("ps", "--all", "--format", "{{.Service}}:{{.ExitCode}}")


def test_a_request_that_is_stuck_ends(served: Stack) -> None:
    served.env = {"REQUEST_TIMEOUT": "8"}
    served.up("--remove-orphans")
    started = time.monotonic()
    assert served.get("/slow?seconds=100").status_code in (502, 504)
    assert time.monotonic() - started < 18
    assert served.get("/who").status_code == 200


def test_replicas_share_the_work_and_migrate_once(served: Stack) -> None:
    served.env.clear()
    served.down()
    served.up("--scale", "backend=3")
    hosts = {served.get("/who").json()["host"] for _ in range(40)}
    assert len(hosts) == 3
    logs = served.compose("logs", "--no-log-prefix", "release")
    assert logs.count("Applying accounts.0001_initial... OK") == 1
    assert "Applying" not in served.compose("logs", "backend")


def test_a_rolling_restart_loses_no_request(served: Stack) -> None:
    served.env.clear()
    served.up("--scale", "backend=2")
    names = served.compose("ps", "--quiet", "backend").split()
    statuses: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            statuses.append(served.get("/who").status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    for name in names:
        subprocess.run(["docker", "restart", name], check=True, capture_output=True)
        state = ["docker", "inspect", "--format", "{{.State.Health.Status}}", name]
        status = eventually(
            lambda state=state: succeed(*state, cwd=served.folder).strip(),  # type: ignore[misc]
            lambda health: health == "healthy",
        )
        assert status == "healthy"
        time.sleep(2)  # longer than nginx keeps an address
    over.set()
    thread.join()
    assert len(statuses) > 50
    assert set(statuses) == {200}, [status for status in statuses if status != 200]


def test_nginx_finds_a_backend_that_moved(up: Stack) -> None:
    def address(container: str) -> str:
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return succeed("docker", "inspect", "--format", form, container, cwd=up.folder).strip()

    backend = up.compose("ps", "--quiet", "backend").strip()
    image = up.config()["services"]["nginx"]["image"]
    network = f"--network={up.folder.name}_web"
    squatter = ["run", "--detach", "--rm", network, "--entrypoint=sleep", image, "300"]
    before = address(backend)
    up.compose("stop", "backend")
    squatters: list[str] = []
    try:
        # Other containers take the free addresses, until the backend's is among them.
        while before not in [address(name) for name in squatters] and len(squatters) < 8:
            squatters.append(succeed("docker", *squatter, cwd=up.folder).strip())
        up.compose("start", "backend")
        assert address(backend) != before
        page = eventually(lambda: up.get("/who").status_code, lambda status: status == 200, 30)
        assert page == 200
    finally:
        run("docker", "rm", "--force", *squatters, cwd=up.folder)


def test_nginx_starts_without_a_backend_and_finds_it_later(served: Stack) -> None:
    served.env.clear()
    served.compose("down")
    served.compose("up", "--wait", "--no-deps", "nginx")
    assert served.get("/who").status_code == 502
    assert served.get("/health/nginx").status_code == 200
    served.up()
    assert eventually(lambda: served.get("/who").status_code, lambda s: s == 200, 30) == 200


def test_the_number_of_processes_follows_the_processors(up: Stack) -> None:
    servers = CATALOGUE["_app_servers"].values()
    server = next(row["command"][0] for row in servers if (up.folder / row["config"]).exists())
    head, *rows = (row.split() for row in up.compose("top", "backend").splitlines() if row)
    pid, parent = head.index("PID"), head.index("PPID")
    pids = {row[pid] for row in rows}
    (master,) = [row for row in rows if row[parent] not in pids and server in " ".join(row)]
    # On one processor, as many serve as the entrypoint starts for each. Granian's have one more, Python's own.
    each = 2 if "2 * $(cpus)" in (up.folder / "docker/entrypoint.sh").read_text() else 1
    children = [" ".join(row) for row in rows if row[parent] == master[pid]]
    assert len([row for row in children if "resource_tracker" not in row]) == each, children


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"], ids=["ipv4", "ipv6"])
def test_django_sees_the_address_of_the_client(host: str, up: Stack) -> None:
    if host == "[::1]" and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this kernel has no IPv6")
    forged = {"Host": "localhost", "X-Forwarded-For": "192.0.2.7"}
    told = httpx.get(f"http://{host}:{up.port}/who", headers=forged).json()
    assert told["REMOTE_ADDR"] == told["HTTP_X_FORWARDED_FOR"]
    address = ip_address(told["REMOTE_ADDR"])
    assert address.version == ip_address(host.strip("[]")).version
    # Not nginx's own, which the server took for the client's.
    (nginx,) = up.inspect(*up.containers("nginx"))
    (network,) = nginx["NetworkSettings"]["Networks"].values()
    own = {network["IPAddress"], network["GlobalIPv6Address"]}
    assert str(address) not in own
    rows = [row for row in map(json.loads, access_log(up)) if row["uri"] == "/who"]
    assert rows[-1]["client"] == str(address)


def access_log(stack: Stack) -> list[str]:
    """Return the lines that nginx logs for requests."""
    lines = stack.compose("logs", "--no-log-prefix", "nginx").splitlines()
    return [line for line in lines if line.startswith("{")]


def test_a_server_whose_threads_all_hang_is_ended_and_comes_back(served: Stack) -> None:
    quick = {"interval": "1s", "timeout": "5s", "start_period": "30s", "start_interval": "500ms"}
    override = {"services": {"backend": {"healthcheck": quick}}}
    files = served.files
    served.env.clear()
    (served.folder / "docker-compose.quick.json").write_text(json.dumps(override))
    served.files = (*files, "docker-compose.quick.json")
    try:
        served.up("--remove-orphans")
        backend = served.containers("backend")
        assert served.get("/who").status_code == 200

        def hang() -> None:
            # The visitor leaves; the thread that serves the page does not notice.
            with pytest.raises(httpx.ReadTimeout):
                served.get("/slow?seconds=100000", timeout=3)

        # Twice as many as there are threads.
        visitors = [threading.Thread(target=hang) for _ in range(32)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        restarts = eventually(
            lambda: served.inspect(*backend)[0]["RestartCount"], lambda count: count > 0, 180
        )
        assert restarts == 1
        assert eventually(lambda: served.status("/who"), lambda status: status == 200, 30) == 200
        health = eventually(
            lambda: served.inspect(*backend)[0]["State"]["Health"]["Status"],
            lambda status: status == "healthy",
        )
        assert health == "healthy"
    finally:
        served.files = files


def test_https_behind_a_trusted_proxy(served: Stack) -> None:
    served.env = {"HTTPS": "true", "TRUSTED_PROXY": "0.0.0.0/0", "HSTS_SECONDS": "60"}
    served.up()
    plain = served.get("/who", headers={"X-Forwarded-Proto": "http"})
    assert plain.status_code == 301
    assert plain.headers["Location"].startswith("https://localhost")
    request_id = "0123456789abcdef" * 2
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    proxied["X-Request-ID"] = request_id
    response = served.get("/who", headers=proxied)
    assert response.status_code == 200
    assert response.json()["secure"] is True
    assert response.json()["HTTP_X_FORWARDED_FOR"] == "192.0.2.7"
    assert response.headers["X-Request-ID"] == request_id
    hsts = "max-age=60; includeSubDomains"
    assert response.headers.get_list("Strict-Transport-Security") == [hsts]
    assert served.get("/static/x", headers=proxied).headers["Strict-Transport-Security"] == hsts
    served.env["HSTS_PRELOAD"] = "true"
    served.up()
    response = served.get("/who", headers=proxied)
    assert response.headers["Strict-Transport-Security"] == f"{hsts}; preload"


def test_https_without_a_proxy_believes_nobody(served: Stack) -> None:
    served.env = {"HTTPS": "true"}
    served.up()
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    response = served.get("/who", headers=forged)
    assert response.status_code == 301
    served.env.clear()
    served.up()
    request_id = "0123456789abcdef" * 2
    response = served.get("/who", headers={**forged, "X-Request-ID": request_id})
    told = response.json()
    assert response.headers["X-Request-ID"] != request_id
    assert told["secure"] is False
    assert told["HTTP_X_FORWARDED_FOR"] != "192.0.2.7"


def test_health_checks_are_not_redirected_to_https(served: Stack) -> None:
    served.env = {"HTTPS": "true"}
    served.up()
    assert served.get("/health/ready", headers={"Host": "192.0.2.1"}).status_code == 200


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a folder with a certificate for localhost that nginx can read."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    folder = tmp_path / "tls"
    folder.mkdir()
    succeed("openssl", "req", *kind, *files, "-days", "1", *subject, cwd=folder)
    for path in (folder, *folder.iterdir()):
        os.chown(path, 101, 101)
    tmp_path.parent.chmod(0o755)
    return folder


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give the key to nginx's user")
def test_https_that_ends_in_nginx(served: Stack, certificate: Path) -> None:
    files = served.files
    port = served.port + 1
    try:
        served.files = (*files, "docker-compose.tls.yml")
        served.env = {
            "HTTPS": "true",
            "HTTPS_PORT": str(port),
            "TLS_DIRECTORY": str(certificate),
        }
        served.up()
        context = ssl.create_default_context(cafile=certificate / "fullchain.pem")
        response = httpx.get(f"https://localhost:{port}/who", verify=context)
        assert response.status_code == 200
        assert response.json()["secure"] is True
        assert "max-age" in response.headers["Strict-Transport-Security"]
        assert served.get("/who").status_code == 301
        context.check_hostname = False
        sni = {"sni_hostname": "evil.example"}
        with (
            httpx.Client(verify=context) as client,
            pytest.raises(httpx.ConnectError, match=r"(?i)unrecognized.name"),
        ):
            client.get(f"https://localhost:{port}/who", extensions=sni)
    finally:
        served.files = files
        served.env.clear()
        served.up("--force-recreate", "nginx")


def test_a_change_of_code_reuses_the_installed_packages(up: Stack) -> None:
    home = up.folder / up.folder.name / "core/views.py"
    home.write_text(home.read_text() + "\n# changed\n")
    printed = up.compose("build", "backend")
    steps = dict(re.findall(r"^(#\d+) (?:\[[^]]*\] )?(.*uv pip install.*)$", printed, re.MULTILINE))
    assert steps
    assert all(f"{step} CACHED" in printed for step in steps)


def test_starting_again_without_a_change_restarts_nothing(up: Stack) -> None:
    def started() -> str:
        form = "{{.Name}} {{.State.StartedAt}}"
        names = up.compose("ps", "--quiet").split()
        return succeed("docker", "inspect", "--format", form, *names, cwd=up.folder)

    before = started()
    up.up()
    assert started() == before


def test_a_missing_secret_is_named(served: Stack) -> None:
    env = served.folder / ".env"
    before = env.read_text()
    try:
        env.write_text(re.sub("^DJANGO_SECRET_KEY=.*", "DJANGO_SECRET_KEY=", before, flags=re.M))
        printed = served.compose("config", "--quiet", check=False)
    finally:
        env.write_text(before)
    assert "DJANGO_SECRET_KEY" in printed
    assert "set it in .env" in printed


def test_a_release_against_a_dead_database_says_so(make_stack: MakeStack) -> None:
    stack = make_stack("dead_database", database="postgresql", cache="locmem")
    stack.compose("build", "backend")
    command = ["run", "--rm", "-T", "--no-deps", "-e", "DATABASE_TIMEOUT=2", "release"]
    printed = stack.compose(*command, check=False)
    assert "The database at postgresql took no connection within 2 s" in printed
    assert "DATABASE_URL" in printed
    assert "Traceback" not in printed


def test_two_projects_live_side_by_side(make_stack: MakeStack) -> None:
    first = make_stack("neighbour_a", database="mysql", cache="redis", project_name="A")
    second = make_stack("neighbour_b", database="mysql", cache="redis", project_name="B")
    first.up()
    second.up()
    assert "<h1>A</h1>" in first.get().text
    assert "<h1>B</h1>" in second.get().text
    assert (first.ready(), second.ready()) == (200, 200)
    first.add_administrator()
    assert first.shell("print(User.objects.count())") == "1"
    assert second.shell("print(User.objects.count())") == "0"
    first.down()
    assert second.ready() == 200


DEVELOPMENT = ("docker-compose.yml", "docker-compose.override.yml")


@pytest.fixture(scope="module", params=DEVELOPMENTS)
def development(request: pytest.FixtureRequest, make_stack: MakeStack) -> Iterator[Stack]:
    """Return a development stack for each database, whose code its user can write."""
    answers = DEVELOPMENTS[request.param]
    stack = make_stack(f"dev_{answers['database']}", files=DEVELOPMENT, **answers)
    stack.env = {"DATABASE_PORT": "0", "CACHE_PORT": "0", "DEV_UID": "1234", "DEV_GID": "1234"}
    for path in (stack.folder, *stack.folder.rglob("*")):
        os.chown(path, 1234, 1234)
    stack.up()
    yield stack
    stack.down()


def shows(stack: Stack, words: str) -> bool:
    """Tell whether the words appear on the landing page in time; the server may restart meanwhile."""

    def shown() -> bool:
        try:
            return words in stack.get().text
        except httpx.TransportError:
            return False

    return eventually(shown, bool)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user")
class TestDevelopment:
    """The stack that a plain `docker compose up` starts."""

    def test_pages_come_with_their_styles(self, development: Stack) -> None:
        assert shows(development, "My Site")
        assert development.get("/static/core/site.css").status_code == 200
        assert development.get("/static/admin/css/base.css").status_code == 200
        checks = development.get("/health/ready").json()
        assert checks["status"] == "ok"

    def test_every_port_is_on_loopback_and_nginx_rests(self, development: Stack) -> None:
        services = development.config()["services"]
        assert "nginx" not in services
        ports = [port for service in services.values() for port in service.get("ports", [])]
        assert len(ports) == len(services) - 1
        assert {port["host_ip"] for port in ports} == {"127.0.0.1"}

    def test_a_change_of_code_is_served(self, development: Stack) -> None:
        view = development.folder / development.folder.name / "core/views.py"
        before = view.read_text()
        try:
            view.write_text(before.replace('_("Cache")', '"Reloaded"'))
            assert shows(development, "Reloaded")
        finally:
            # Not waited for: a server that has just restarted notes the files' times a moment after it answers.
            view.write_text(before)

    def test_its_linters_find_nothing_with_the_python_of_production(
        self, development: Stack
    ) -> None:
        for command in lint_commands(development.folder):
            development.execute("backend", "sh", "-c", command)

    def test_files_it_writes_belong_to_the_user(self, development: Stack) -> None:
        development.execute("backend", "python", "manage.py", "startapp", "fresh")
        assert (development.folder / "fresh/models.py").stat().st_uid == 1234
        # Its lines would have to be tested, too.
        shutil.rmtree(development.folder / "fresh")

    def test_its_tests_reach_every_line_on_the_chosen_database(self, development: Stack) -> None:
        report = "--cov-report=json:reports/coverage.json"
        words = ["pytest", "-p", "no:cacheprovider", "--cov", report]
        # The first `make lock` writes the lock that this one reads.
        words += [
            "--deselect",
            "tests/test_requirements.py::test_the_versions_are_those_of_the_lock",
        ]
        printed = development.execute("backend", *words)
        assert " passed" in printed
        assert " skipped" not in printed
        found = json.loads(development.execute("backend", "cat", "reports/coverage.json"))["totals"]
        assert found["missing_lines"] == 0
        assert found["covered_branches"] >= 0.95 * found["num_branches"]

    def test_production_comes_up_after_it(self, development: Stack) -> None:
        development.compose("down")
        development.files = ("docker-compose.yml",)
        try:
            development.up()
            assert development.ready() == 200
            rows = development.compose("ps", "--format", "json").splitlines()
            assert {"nginx"} <= {json.loads(row)["Service"] for row in rows}
        finally:
            development.files = DEVELOPMENT
