"""Two projects behind one gateway, as docs/how-to/microservices.md says: one calls the other, which dies and comes back."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.stack.conftest import Stack, eventually
from tests.support.catalogue import ROOT
from tests.support.commands import run, succeed
from tests.support.guides import code, shell
from tests.support.projects import env_values
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

GUIDE = (ROOT / "docs/how-to/microservices.md").read_text("utf-8")
NETWORK, SUBNET = "drydock_services", "172.30.222.0/24"
NAMES = ("shop", "billing")
# Longer than the deadline of a call, by what a page takes.
IN_TIME = 7.0
# So that the logs of both say which request it was.
WHO = '''

def who(request: HttpRequest) -> JsonResponse:
    """Return what arrived."""
    return JsonResponse({name.lower(): value for name, value in request.headers.items()})
'''


@dataclass(kw_only=True)
class Services:
    """Two projects, and the gateway before them."""

    shop: Stack
    billing: Stack
    gateway: Stack

    def get(self, host: str, path: str) -> httpx.Response:
        """Ask the gateway for a page of a host."""
        return self.gateway.get(path, headers={"Host": host})

    def customer(self) -> httpx.Response:
        """Return the shop's page that calls billing."""
        return self.get("shop.example.com", "/customers/kim/")


def prepared(make_stack: Callable[..., Stack], name: str) -> Stack:
    """Return a project with the files and the settings of the guide."""
    answers = {"database": "sqlite", "cache": "locmem", "services": "http"}
    answers["sample_app"] = "true" if name == "billing" else "false"
    files = ("docker-compose.yml", "docker-compose.services.yml")
    stack = make_stack(name, files, {"SERVICES_NETWORK": NETWORK}, **answers)
    other = next(other for other in NAMES if other != name)
    stack.env |= {
        "ALLOWED_HOSTS": f"{name}.example.com {name} shop.example.com",
        "TRUSTED_PROXY": SUBNET,
        "SERVICE_URLS": f"{other}=http://{other}:8080",
        "HTTP_PORT": f"127.0.0.1:{stack.port}",
    }
    module, view, path = {
        "shop": ("customers", "customer", "customers/<slug:name>/"),
        "billing": ("balances", "balance", "balances/<slug:customer>/"),
    }[name]
    text = code(GUIDE, "python", f"def {view}(") + WHO
    (stack.folder / name / f"{module}.py").write_text(text)
    urls = stack.folder / "config/urls.py"
    lines = f'    path("{path}", {module}.{view}),\n    path("who/", {module}.who),\n'
    changed = urls.read_text().replace('    path("i18n/"', f'{lines}    path("i18n/"')
    urls.write_text(
        changed.replace(f"from {name}.core", f"from {name} import {module}\nfrom {name}.core")
    )
    return stack


@pytest.fixture(scope="module")
def services(
    make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Return both projects and the gateway, started as the guide says."""
    folder = tmp_path_factory.mktemp("gateway") / "drydock_gateway"
    folder.mkdir()
    compose = code(GUIDE, "yaml", "name: gateway").replace("80:80", "127.0.0.1:${HTTP_PORT}:80")
    compose = compose.replace("name: gateway", "name: drydock_gateway")
    compose = compose.replace("external: true", f"external: true, name: {NETWORK}")
    (folder / "docker-compose.yml").write_text(compose)
    conf, part = code(GUIDE, "nginx", "events"), code(GUIDE, "nginx", "rewrite")
    (folder / "nginx.conf").write_text(
        conf.replace("        location / {", f"{part}\n        location / {{")
    )
    gateway = Stack(folder=folder)
    (network,) = (line for line in shell(GUIDE) if line.startswith("docker network create"))
    command = re.sub("--subnet .* services", f"--subnet {SUBNET} {NETWORK}", network)
    run("docker", "network", "rm", NETWORK, cwd=folder)  # left behind by an interrupted run
    succeed(*command.split(), cwd=folder)
    stacks = [prepared(make_stack, name) for name in NAMES]
    try:
        for stack in (*stacks, gateway):
            stack.up()
        yield Services(shop=stacks[0], billing=stacks[1], gateway=gateway)
    finally:
        for stack in (gateway, *stacks):
            stack.down()
        run("docker", "network", "rm", NETWORK, cwd=folder)


def test_each_project_is_found_by_its_host_and_by_a_path(services: Services) -> None:
    for name in NAMES:
        response = services.get(f"{name}.example.com", "/who/")
        assert response.json()["host"] == f"{name}.example.com"
    assert services.get("shop.example.com", "/billing/api/v1/districts/").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        services.get("stranger.example.com", "/")


def test_the_one_gets_an_answer_of_the_other(services: Services) -> None:
    response = services.customer()
    assert (response.status_code, response.json()) == (200, {"customer": "kim", "balance": 1200})


def test_a_visitor_may_not_call_what_is_for_services(services: Services) -> None:
    assert services.get("billing.example.com", "/balances/kim/").status_code == 401


def test_one_request_has_one_id_in_all_logs(services: Services) -> None:
    request_id = services.customer().headers["X-Request-ID"]
    for stack in (services.shop, services.billing):
        logs = stack.compose("logs", "--no-log-prefix", "nginx").splitlines()
        rows = [json.loads(line) for line in logs if request_id in line]
        assert {row["request_id"] for row in rows} == {request_id}


def test_a_service_is_a_user_of_the_api(services: Services) -> None:
    ask = (
        "from shop.services.client import service;"
        "print(service('billing').get('/api/v1/me/').status_code)"
    )
    assert "401" in services.shop.shell(ask).splitlines()
    services.billing.shell("User.objects.create_user('shop')")
    assert "200" in services.shop.shell(ask).splitlines()


def timed(services: Services) -> tuple[int, bool]:
    """Return the status of the page that calls, and whether it came in time."""
    start = time.monotonic()
    status = services.customer().status_code
    return status, time.monotonic() - start < IN_TIME


@pytest.mark.parametrize("dead", [["backend"], ["backend", "nginx"]], ids="-".join)
def test_while_the_other_is_dead_the_page_says_so_in_time(
    services: Services, dead: list[str]
) -> None:
    billing = services.billing
    containers = billing.containers(*dead)
    succeed("docker", "kill", "--signal=KILL", *containers, cwd=billing.folder)
    assert [timed(services) for _ in range(8)] == [(503, True)] * 8
    assert services.get("shop.example.com", "/who/").status_code == 200
    logs = services.shop.compose("logs", "--no-log-prefix", "backend")
    assert "The service billing is not available" in logs
    succeed("docker", "start", *containers, cwd=billing.folder)
    assert eventually(lambda: services.customer().status_code, lambda code: code == 200) == 200
    # Every process has found out, and stays so.
    time.sleep(6)
    assert {services.customer().status_code for _ in range(20)} == {200}


def test_a_call_that_hangs_ends_in_time(services: Services) -> None:
    containers = services.billing.containers("nginx")
    succeed("docker", "pause", *containers, cwd=services.billing.folder)
    try:
        assert [timed(services) for _ in range(3)] == [(503, True)] * 3
    finally:
        succeed("docker", "unpause", *containers, cwd=services.billing.folder)
    assert eventually(lambda: services.customer().status_code, lambda code: code == 200) == 200


def test_keys_are_replaced_and_calls_go_on(services: Services) -> None:
    shop = services.shop
    old, new = env_values(shop.folder / ".env")["SERVICE_KEY"], "ab" * 32
    for key, fallbacks in ((old, new), (new, old), (new, "")):
        shop.env |= {"SERVICE_KEY": key, "SERVICE_KEY_FALLBACKS": fallbacks}
        shop.up()
        assert {services.customer().status_code for _ in range(20)} == {200}


def test_the_document_for_the_contract_has_the_paths(services: Services) -> None:
    (command,) = (line for line in shell(GUIDE) if "spectacular" in line)
    words = command.removeprefix("docker compose ").split()
    document = json.loads(services.billing.compose(*words))
    assert "/api/v1/districts/{code}/" in document["paths"]


def test_a_call_is_no_visitor_who_is_led_to_https(services: Services) -> None:
    services.billing.env["HTTPS"] = "true"
    services.billing.up()
    assert services.get("billing.example.com", "/who/").status_code == 301
    assert services.customer().status_code == 200
