"""The production stacks: each is used over HTTP, disturbed, and used again.

The tests of a stack run in order, on the same containers.
"""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from tests.stack.conftest import BACKUPS, NGINX, ONCE, Stack, eventually
from tests.support.catalogue import CATALOGUE
from tests.support.stacks import STACKS

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module", params=STACKS)
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the answers for one stack after the other."""
    return STACKS[request.param]


@pytest.fixture(scope="module")
def stack(answers: dict[str, str], make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a stack that has come up, with an administrator."""
    stack = make_stack(f"stack_{answers['database']}", **answers)
    stack.up()
    stack.add_administrator()
    yield stack
    stack.down()


def database(answers: dict[str, str]) -> str:
    """Return the name of the database's service; skip if there is none."""
    if not CATALOGUE["_databases"][answers["database"]]["image"]:
        pytest.skip("the database is a file")
    return answers["database"]


def cache(answers: dict[str, str]) -> str:
    """Return the name of the cache's service; skip if there is none."""
    if not CATALOGUE["_caches"][answers["cache"]]["image"]:
        pytest.skip("the cache is in the processes")
    return answers["cache"]


def test_it_has_the_services_that_were_chosen(stack: Stack, answers: dict[str, str]) -> None:
    images = CATALOGUE["_databases"] | CATALOGUE["_caches"]
    servers = {name for name in answers.values() if images.get(name, {}).get("image")}
    assert set(stack.config()["services"]) == {"backend", "nginx", *servers} | ONCE | BACKUPS


def test_compose_has_nothing_to_warn_of(stack: Stack) -> None:
    assert "level=" not in stack.compose("config", "--quiet")


def test_only_nginx_publishes_a_port(stack: Stack) -> None:
    services = stack.config()["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["nginx"]


def test_nginx_reaches_neither_database_nor_cache(stack: Stack) -> None:
    services = stack.config()["services"]
    assert list(services["nginx"]["networks"]) == ["web"]
    for name in set(services) - {"nginx", "backend"} - ONCE - BACKUPS:
        assert list(services[name]["networks"]) == ["data"]


def test_every_service_is_confined_and_limited(stack: Stack) -> None:
    for name, service in stack.config()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert not service.get("cap_add"), name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"] == {"max-file": "5", "max-size": "10m"}, name
        if name not in ONCE:
            assert service["restart"] == "unless-stopped", name
        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"]), name


def test_the_image_knows_the_backend_s_user_and_group(stack: Stack) -> None:
    # Celery takes a process whose group has no name for root's.
    assert stack.execute("backend", "sh", "-c", "id -un; id -gn").split() == ["app", "app"]


def test_every_service_that_stays_is_healthy(stack: Stack) -> None:
    lines = stack.compose("ps", "--all", "--format", "json").splitlines()
    states = {row["Service"]: row for row in map(json.loads, lines)}
    assert {states.pop(name)["ExitCode"] for name in ONCE} == {0}
    assert {states.pop(name)["State"] for name in BACKUPS} == {"running"}
    assert {row["Health"] for row in states.values()} == {"healthy"}


def test_no_process_is_root(stack: Stack) -> None:
    for service in set(stack.config()["services"]) - ONCE:
        assert stack.execute(service, "id", "-u").strip() != "0", service


def test_landing_page(stack: Stack) -> None:
    response = stack.get()
    assert response.status_code == 200
    assert "<h1>My Site</h1>" in response.text
    assert response.headers["Server"] == "nginx"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_it_answers_on_its_domain_name_too(stack: Stack) -> None:
    assert stack.get(headers={"Host": "example.com"}).status_code == 200


def test_static_files_are_immutable_and_compressed(stack: Stack) -> None:
    css = re.search(r'href="(/static/core/site\.[0-9a-f]{12}\.css)"', stack.get().text)
    assert css
    response = stack.get(css[1], headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/css"
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    # Scripts load others by their own names, which mean other contents after a release.
    response = stack.get("/static/core/site.css")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=300, must-revalidate"
    etag = {"If-None-Match": response.headers["ETag"]}
    assert stack.get("/static/core/site.css", headers=etag).status_code == 304
    assert "Cache-Control" not in stack.get("/static/nothing").headers


def test_no_path_leads_out_of_the_static_files(stack: Stack) -> None:
    for path in ("/static../media/", "/static/%2e%2e/current", "/media../static/"):
        assert stack.get(path).status_code in (400, 404)


def test_admin_opens_with_its_styles(stack: Stack) -> None:
    with stack.client(follow_redirects=True) as client:
        page = stack.log_in(client)
        assert page.status_code == 200
        assert page.url.path == "/admin/"
        assert "Site administration" in page.text
        styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
        assert styles
        for style in styles:
            assert re.search(r"\.[0-9a-f]{12}\.css$", style)
            assert client.get(style).status_code == 200


def test_unknown_host_gets_no_answer(stack: Stack) -> None:
    with pytest.raises(Exception, match="Server disconnected"):
        stack.get(headers={"Host": "evil.example"})


def test_health_by_address(stack: Stack) -> None:
    for check in ("live", "ready", "nginx"):
        response = stack.get(f"/health/{check}", headers={"Host": "192.0.2.1"})
        assert response.status_code == 200
    checks = {"database": "ok", "migrations": "ok", "cache": "ok"}
    assert stack.get("/health/ready").json() == {"status": "ok", "checks": checks}


def test_a_forged_scheme_is_not_believed(stack: Stack) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    response = stack.get("/admin/", headers=forged)
    assert response.status_code == 302
    assert response.headers["Location"] == "/admin/login/?next=/admin/"
    assert "Strict-Transport-Security" not in response.headers


def test_uploads_are_served_without_rights(stack: Stack) -> None:
    script = "import pathlib; pathlib.Path('/srv/media/page.html').write_text('<script></script>')"
    stack.execute("backend", "python", "-c", script)
    response = stack.get("/media/page.html")
    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_large_body_is_refused(stack: Stack) -> None:
    with stack.client() as client:
        assert client.post("/", content=b"x" * (11 << 20)).status_code == 413


def test_a_body_in_chunks_arrives(stack: Stack) -> None:
    with stack.client() as client:
        page = client.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = f"csrfmiddlewaretoken={token[1]}&username=nobody&password=wrong".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = client.post(
            "/admin/login/", content=iter([form[:20], form[20:]]), headers=headers
        )
    assert response.status_code == 200
    assert "Please enter the correct username and password" in response.text


def test_a_large_cookie_passes(stack: Stack) -> None:
    assert stack.get(headers={"Cookie": "big=" + "x" * 7000}).status_code == 200


def test_guessing_passwords_is_slowed(stack: Stack) -> None:
    with stack.client() as client:
        statuses = [client.get("/admin/login/").status_code for _ in range(40)]
    assert statuses[0] == 200
    assert 429 in statuses


def test_the_image_holds_no_secret_and_no_compiler(stack: Stack) -> None:
    found = stack.execute(
        "backend", "sh", "-c", "ls -A; command -v gcc cc make uv pip-compile; true"
    )
    assert "manage.py" in found
    for name in (".env", ".git", "tests", "gcc", "/cc", "/make", "/uv"):
        assert name not in found.split(), name
    assert "Read-only" in stack.execute("backend", "touch", "/app/x", check=False)


def test_nothing_to_say_against_its_deployment(stack: Stack) -> None:
    command = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    stack.compose("exec", "-T", "-e", "HTTPS=true", "backend", *command)


def test_the_database_is_strict_and_takes_every_character(
    stack: Stack, answers: dict[str, str]
) -> None:
    if CATALOGUE["_databases"][answers["database"]]["engine"] != "django.db.backends.mysql":
        pytest.skip("this is about the MySQL family")
    query = "SELECT @@sql_mode, @@character_set_connection, @@character_set_database"
    script = "from django.db import connection as c; k = c.cursor();"
    printed = stack.shell(f"{script} k.execute({query!r}); print(k.fetchone())")
    assert "STRICT_TRANS_TABLES" in printed
    assert printed.count("'utf8mb4'") == 2


def test_nginx_finds_nothing_wrong_with_its_configuration(stack: Stack) -> None:
    printed = stack.execute("nginx", *NGINX, "-t")
    assert "test is successful" in printed
    assert "warn" not in printed


def test_logs_are_json_with_the_id_of_the_request(stack: Stack) -> None:
    request_id = stack.get("/no-such-page").headers["X-Request-ID"]
    logs = stack.compose("logs", "--no-log-prefix", "backend", "nginx").splitlines()
    rows = [json.loads(line) for line in logs if request_id in line]
    assert len(rows) == 2
    assert {row.get("logger") for row in rows} == {"django.request", None}
    assert {row["request_id"] for row in rows} == {request_id}


def test_metrics_are_for_other_containers_only(stack: Stack, answers: dict[str, str]) -> None:
    assert stack.get().status_code == 200
    assert stack.get("/metrics").status_code == 404
    port = CATALOGUE["_app_servers"][answers["app_server"]]["health_port"]
    address = f"http://backend-0:{port}/metrics"
    shown = stack.execute("nginx", "curl", "--silent", "--noproxy", "*", address)
    assert re.search(r'http_request_seconds_count\{route="/",status="200"\} [1-9]', shown)
    assert "http_queue_seconds_sum" in shown
    forged = ["--header", "X-Forwarded-For: 192.0.2.1"]
    refused = stack.execute("nginx", "curl", "--silent", "--noproxy", "*", *forged, address)
    assert "http_request_seconds" not in refused


def test_maintenance_closes_the_site_but_not_its_health_checks(stack: Stack) -> None:
    switch = "/var/cache/nginx/maintenance"
    stack.execute("nginx", "touch", switch)
    try:
        with stack.client() as client:
            for response in (
                client.get("/"),
                client.post("/admin/login/"),
                client.get("/static/x"),
            ):
                assert response.status_code == 503
                assert response.headers["Retry-After"] == "30"
                assert "<h1>" in response.text
        assert stack.ready() == stack.status("/health/live") == 200
    finally:
        stack.execute("nginx", "rm", switch)
    assert stack.get().status_code == 200


def test_no_secret_is_in_a_log_or_a_command_line(stack: Stack) -> None:
    lines = (stack.folder / ".env").read_text().splitlines()
    secrets = [value for _, _, value in (line.partition("=") for line in lines) if len(value) == 64]
    shown = stack.compose("logs") + stack.compose("top")
    assert not [secret for secret in secrets if secret in shown]


def test_not_ready_while_the_database_is_down(stack: Stack, answers: dict[str, str]) -> None:
    name = database(answers)
    stack.compose("stop", name)
    try:
        response = stack.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["status"] == "unavailable"
        assert response.json()["checks"]["database"] == "failed"
        assert stack.get("/health/live").status_code == 200
    finally:
        stack.compose("start", name)
    assert eventually(stack.ready, lambda status: status == 200) == 200


def test_slower_but_not_broken_while_the_cache_is_down(
    stack: Stack, answers: dict[str, str]
) -> None:
    name = cache(answers)
    stack.compose("stop", name)
    try:
        response = stack.get("/health/ready")
        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
        assert response.json()["checks"]["cache"] == "failed"
        assert stack.get().status_code == 200
    finally:
        stack.compose("start", name)
    status = eventually(lambda: stack.get("/health/ready").json()["status"], lambda s: s == "ok")
    assert status == "ok"


def test_data_is_kept_over_down_and_up(stack: Stack) -> None:
    stack.compose("down")
    stack.up()
    with stack.client(follow_redirects=True) as client:
        assert "Site administration" in stack.log_in(client).text
    assert stack.get("/media/page.html").status_code == 200


def test_static_files_stay_for_those_who_still_ask_for_them(stack: Stack) -> None:
    run = ["run", "--rm", "-T", "--no-deps", "release"]
    stack.compose(*run, "touch", "/srv/static/current/recent.css")
    stack.compose(*run, "touch", "--date=31 days ago", "/srv/static/current/stale.css")
    stack.up("--force-recreate")
    assert stack.get("/static/recent.css").status_code == 200
    assert stack.get("/static/stale.css").status_code == 404
    left = stack.compose(*run, "ls", "/srv/static").split()[-2:]
    assert sorted(re.sub(r"\.\w{8}$", "", name) for name in left) == ["current", "release"]
