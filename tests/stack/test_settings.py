"""What people write into .env: it is understood as it was meant, or refused by name."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack.conftest import Stack, collector, trace

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def built(make_stack: Callable[..., Stack]) -> Stack:
    """Return a stack that has come up once, so that its images and its database exist."""
    stack = make_stack("settings", database="postgresql", cache="locmem")
    stack.up()
    return stack


@pytest.fixture
def stack(built: Stack) -> Stack:
    """Return the stack, as it was generated."""
    built.env.clear()
    return built


# The text of a value -> the hosts that it means. Each needs a start.
HOSTS = {
    "a.com,localhost": ["a.com"],
    "http://a.com b.com:8080 https://c.com:8443/shop/, D.com .e.com localhost": [
        "a.com",
        "b.com:8080",
        "c.com",
        "d.com",
        "www.e.com",
    ],
}


@pytest.mark.parametrize("value", HOSTS)
def test_hosts_are_understood(value: str, stack: Stack) -> None:
    stack.env |= {"ALLOWED_HOSTS": value, "LOG_LEVEL": "info"}
    stack.compose("up", "--wait")
    for host in (*HOSTS[value], "localhost"):
        assert stack.get(headers={"Host": host}).status_code == 200, host
    with pytest.raises(Exception, match="Server disconnected"):
        stack.get(headers={"Host": "other.com"})


@pytest.mark.parametrize(
    ("word", "proxies"), [("1", "0.0.0.0/0"), ("yes", "192.0.2.0/24, 0.0.0.0/0")]
)
def test_https_and_several_proxies_are_understood(word: str, proxies: str, stack: Stack) -> None:
    stack.env |= {"HTTPS": word, "TRUSTED_PROXY": proxies}
    stack.compose("up", "--wait")
    plain = stack.get(headers={"X-Forwarded-Proto": "http"})
    assert plain.status_code == 301
    assert plain.headers["Location"].startswith("https://localhost")
    secure = stack.get(headers={"X-Forwarded-Proto": "https"})
    assert secure.status_code == 200
    hsts = secure.headers.get_list("Strict-Transport-Security")
    assert hsts == ["max-age=3600; includeSubDomains"]


def test_limits_move_all_servers_together(stack: Stack, tmp_path: Path) -> None:
    stack.env |= {"UPLOAD_LIMIT": "200", "REQUEST_TIMEOUT": "90"}
    stack.compose("up", "--wait")
    assert stack.config()["services"]["backend"]["stop_grace_period"] == "1m40s"
    upload = tmp_path / "upload"
    with stack.client(follow_redirects=True) as client:
        client.get("/admin/login/")
        for megabytes, status in ((190, 403), (201, 413)):  # Django's own answer; nginx's.
            with upload.open("wb") as file:
                file.truncate(megabytes << 20)
            with upload.open("rb") as file:
                answer = client.post("/admin/login/", files={"file": file}, timeout=120)
            assert answer.status_code == status
    assert stack.execute("backend", "find", "/srv/uploads", "-type", "f") == ""


def test_an_address_for_traces_is_all_that_they_need(stack: Stack) -> None:
    caller = "0af7651916cd43dd8448eb211c80319c"
    with collector(stack) as received:
        assert trace(stack, "/first/", received) != caller
        header = f"00-{caller}-b7ad6b7169203331-01"
        assert trace(stack, "/second/", received, traceparent=header) == caller


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "한국.kr"),
        ("HTTPS", "ture"),
        ("HSTS_SECONDS", "1h"),
        ("HSTS_PRELOAD", "perhaps"),
        ("TRUSTED_PROXY", "10.0.0.0/99"),
        ("WEB_CONCURRENCY", "two"),
        ("API_ANON_RATE", "60permin"),
        ("LOG_LEVEL", "loud"),
        ("QUERY_TIMEOUT", "soon"),
        ("QUERY_TIMEOUT", "30"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("UPLOAD_LIMIT", "10M"),
    ],
)
def test_a_mistake_stops_the_start_with_a_sentence(name: str, value: str, stack: Stack) -> None:
    stack.env[name] = value
    started = time.monotonic()
    result = stack.attempt("up", "--wait")
    took = time.monotonic() - started
    logs = stack.compose("logs", "--no-log-prefix", "release")
    assert result.returncode != 0
    sentence = rf"{name}={re.escape(value)} .+\. For example: {name}=\S+"
    assert re.search(sentence, logs), logs
    assert "Traceback" not in logs
    assert took < 10
