"""Certificates from an authority that speaks ACME, as Let's Encrypt does: obtained, renewed, refused."""

import json
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.stack.conftest import Stack, eventually, serve
from tests.support.commands import succeed

pytestmark = pytest.mark.stack

NAME = "site.example.com"
WWW = f"www.{NAME}"
# Seconds that a certificate is valid; certbot renews it when a third of them is left.
VALID = 90
PEBBLE = {
    "listenAddress": "0.0.0.0:14000",
    "managementListenAddress": "0.0.0.0:15000",
    "certificate": "/pebble/cert.pem",
    "privateKey": "/pebble/key.pem",
    "httpPort": 8080,
    "tlsPort": 8443,
    "ocspResponderURL": "",
    "externalAccountBindingRequired": False,
    "profiles": {"default": {"description": "", "validityPeriod": VALID}},
}
COMPOSE = f"""
services:
  pebble:
    image: tls_pebble-pebble
    build:
      context: pebble
      dockerfile_inline: |
        FROM lab/base:sid
        RUN apt-get update -qq && apt-get install -qq --no-install-recommends pebble
    command: [pebble, -config, /pebble/config.json]
    environment: {{PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0"}}
    networks: [web]
    volumes: ["./pebble:/pebble:ro"]

  nginx:
    networks:
      web: {{aliases: [{NAME}, {WWW}]}}

  certificates:
    environment:
      ACME_PAUSE: "5"
      ACME_SERVER: https://pebble:14000/dir
      REQUESTS_CA_BUNDLE: /pebble/cert.pem
    volumes: ["./pebble:/pebble:ro"]
    depends_on: [pebble]
"""


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a stack with https for a name, beside an authority that finds it there."""
    files = ("docker-compose.yml", "docker-compose.tls.yml", "pebble.yml")
    stack = make_stack("tls_pebble", files=files, database="sqlite", cache="locmem")
    folder = stack.folder / "pebble"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"pebble": PEBBLE}))
    subject = ["-subj", "/CN=pebble", "-addext", "subjectAltName=DNS:pebble"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words = ["-keyout", "key.pem", "-out", "cert.pem", "-days", "1"]
    succeed("openssl", "req", *kind, *words, *subject, cwd=folder)
    (folder / "key.pem").chmod(0o644)
    (stack.folder / "pebble.yml").write_text(COMPOSE)
    # A site that has served without https.
    serve(stack)
    stack.env = {
        "HTTPS": "true",
        "HTTPS_PORT": str(stack.port + 1),
        "ALLOWED_HOSTS": f"{NAME} {WWW}",
    }
    with (stack.folder / ".env").open("a") as env:
        for name, value in {**stack.env, "COMPOSE_FILE": ":".join(files)}.items():
            env.write(f"{name}={value}\n")
    succeed("bin/deploy", cwd=stack.folder)
    yield stack
    stack.down()


def root(stack: Stack) -> str:
    """Return the certificate of the authority."""
    question = "https://pebble:15000/roots/0"
    return stack.execute("nginx", "curl", "--silent", "--insecure", "--noproxy", "*", question)


def serial(stack: Stack) -> str:
    """Return the number of the certificate that nginx shows; empty where it shows none."""
    context = ssl.create_default_context(cadata=root(stack))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        with (
            httpx.Client(verify=context) as client,
            client.stream(
                "GET",
                f"https://127.0.0.1:{stack.port + 1}/health/live",
                headers={"Host": NAME},
                extensions={"sni_hostname": NAME},
            ) as response,
        ):
            assert response.status_code == 200
            shown = response.extensions["network_stream"].get_extra_info("ssl_object")
            return str(shown.getpeercert()["serialNumber"])
    except httpx.TransportError:
        return ""


def test_a_certificate_comes_by_itself_and_is_renewed(stack: Stack) -> None:
    first = eventually(lambda: serial(stack), bool, 60)
    told = stack.compose("logs", "certificates")
    assert first, told
    # An attempt that fails is repeated after an hour.
    assert "No certificate" not in told
    started = [row["State"]["StartedAt"] for row in stack.inspect(*stack.containers("nginx"))]
    shown = [first]
    eventually(lambda: shown.append(serial(stack)), lambda _: shown[-1] != first, VALID * 2)
    assert shown[-1] != first, stack.compose("logs", "--tail=20", "certificates")
    # With one or the other, every visitor got an answer.
    assert "" not in shown
    now = [row["State"]["StartedAt"] for row in stack.inspect(*stack.containers("nginx"))]
    assert now == started
    with stack.client() as client:
        moved = client.get("/", headers={"Host": NAME})
    assert (moved.status_code, moved.headers["Location"]) == (301, f"https://{NAME}/")


def test_www_leads_to_the_name_without_it(stack: Stack) -> None:
    with stack.client() as client:
        moved = client.get("/districts/?page=2", headers={"Host": WWW})
        unknown = client.get("/health/live", headers={"Host": "www.example.org"})
    assert (moved.status_code, moved.headers["Location"]) == (
        301,
        f"https://{NAME}/districts/?page=2",
    )
    assert unknown.headers.get("Location") is None
    context = ssl.create_default_context(cadata=root(stack))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with httpx.Client(verify=context) as client:
        moved = client.get(
            f"https://127.0.0.1:{stack.port + 1}/admin/",
            headers={"Host": WWW},
            extensions={"sni_hostname": WWW},
        )
    assert (moved.status_code, moved.headers["Location"]) == (301, f"https://{NAME}/admin/")
    assert "includeSubDomains" in moved.headers["Strict-Transport-Security"]


def test_a_name_that_leads_elsewhere_is_said_and_harms_nothing(stack: Stack) -> None:
    stack.env["ALLOWED_HOSTS"] = f"{NAME} nowhere.example.com"
    stack.up()
    said = eventually(
        lambda: stack.compose("logs", "--no-log-prefix", "certificates"),
        lambda text: "No certificate for" in text,
        90,
    )
    assert f"No certificate for {NAME} nowhere.example.com" in said
    assert stack.status("/health/ready") == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root can take the key from nginx's user")
def test_a_certificate_that_nginx_cannot_use_is_refused_with_a_sentence(
    stack: Stack, tmp_path: Path
) -> None:
    live = tmp_path / "live" / NAME
    archive = tmp_path / "archive" / NAME
    for folder in (live, archive):
        folder.mkdir(parents=True)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    for name in ("fullchain", "privkey"):
        (archive / f"{name}1.pem").write_text("")
        (live / f"{name}.pem").symlink_to(f"../../archive/{NAME}/{name}1.pem")
    words = ["run", "--rm", "--no-deps", "-T", "nginx-release"]
    stack.env["TLS_DIRECTORY"] = str(live)
    assert "links that lead out of it" in stack.attempt(*words).stdout
    stack.env["TLS_DIRECTORY"] = str(tmp_path)
    (archive / "privkey1.pem").chmod(0o600)
    assert "a key that nginx cannot read" in stack.attempt(*words).stdout
    (archive / "privkey1.pem").chmod(0o644)
    assert stack.attempt(*words).returncode == 0
