"""What clients do: send slowly, read slowly, come in crowds, send nonsense."""

import random
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.endurance.conftest import (
    Answers,
    at_once,
    inside,
    patient,
    starts,
    use,
    visitor,
)
from tests.stack.conftest import Stack, eventually
from tests.support.stacks import LONG

pytestmark = pytest.mark.stack

MEGABYTE = 1 << 20


def connect(stack: Stack) -> socket.socket:
    """Return a connection to nginx."""
    return socket.create_connection(("127.0.0.1", stack.port), timeout=60)


def head(stack: Stack, line: str, *headers: str) -> bytes:
    """Return the head of a request."""
    lines = [f"{line} HTTP/1.1", f"Host: localhost:{stack.port}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def status_of(connection: socket.socket) -> int:
    """Return the status of the answer; 0 if the connection is closed without one."""
    try:
        answer = connection.recv(1 << 16)
    except OSError:
        return 0
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else 0


def upload_slowly(stack: Stack, megabytes: int, seconds: int) -> int:
    """Send so much in that many seconds; return the status of the answer, 0 if there is none."""
    block = b"x" * (megabytes * MEGABYTE // seconds)
    with connect(stack) as connection:
        connection.sendall(
            head(stack, "POST /refuse", f"Content-Length: {seconds * len(block)}"),
        )
        for _ in range(seconds):
            try:
                connection.sendall(block)
            except OSError:
                return 0
            time.sleep(1)
        return status_of(connection)


def read_slowly(stack: Stack, megabytes: int, seconds: int) -> bool:
    """Read a little of a large answer each second; return whether there was still more in the end."""
    with connect(stack) as connection:
        connection.sendall(head(stack, f"GET /big?megabytes={megabytes}"))
        for _ in range(seconds):
            connection.recv(100_000)
            time.sleep(1)
        return bool(connection.recv(100_000))


def test_slow_uploads_and_slow_readers_fill_no_memory(stack: Stack) -> None:
    seconds = 60 if LONG else 20
    # What nginx has written counts as its memory until the disk has it, and a kernel with cgroup v1 kills it if that is
    # over the limit of 128 MB while the disk is busy. So only the long form, which is alone, writes more than that.
    upload, answer = (9, 300) if LONG else (1, 10)
    before = starts(stack)
    # Each client is on its own: one that waits for nginx, or nginx for its disk, holds up no other.
    with (
        ThreadPoolExecutor(46) as clients,
        visitor(stack, "/health/live") as live,
        visitor(stack, "/") as page,
    ):
        uploads = [clients.submit(upload_slowly, stack, upload, seconds) for _ in range(40)]
        readers = [clients.submit(read_slowly, stack, answer, seconds) for _ in range(6)]
        time.sleep(seconds * 0.8)
        # Without the files: all of it would be 100 MB.
        assert use(stack, "nginx").memory < 40 * MEGABYTE
        statuses = Counter(upload.result() for upload in uploads)
        assert all(reader.result() for reader in readers)
    assert starts(stack) == before
    assert statuses == {403: 40}, stack.compose("logs", "--tail", "30", "nginx", "backend")
    assert set(live.counts) == {200}
    assert set(page.counts) == {200}
    assert page.slowest < 5


def test_a_slow_reader_gets_the_whole_response(stack: Stack) -> None:
    with (
        patient(stack) as client,
        client.stream(
            "GET", "/big?megabytes=40", headers={"Accept-Encoding": "identity"}
        ) as response,
    ):
        size = 0
        for block in response.iter_raw(4 * MEGABYTE):
            size += len(block)
            time.sleep(1)
    assert size == 40 * MEGABYTE


@pytest.mark.parametrize("size", [300_000, 9 * MEGABYTE])
def test_a_post_that_is_refused_gets_the_answer_of_django(stack: Stack, size: int) -> None:
    count = 600 if LONG else 60
    answers = at_once(stack, count, "/refuse", threads=8, method="POST", content=b"x" * size)
    assert answers.counts == {403: count}


def test_a_body_that_nginx_refuses_gets_its_answer(stack: Stack) -> None:
    answers = at_once(
        stack, 20, "/refuse", threads=4, method="POST", content=b"x" * (11 * MEGABYTE)
    )
    assert set(answers.counts) <= {413}


def test_large_cookies_pass_in_both_directions(stack: Stack) -> None:
    with patient(stack) as client:
        response = client.get("/cookies?names=first,second,third")
        assert response.status_code == 200
        assert sum(map(len, response.cookies.values())) > 11_000
        assert client.get("/cookies?names=first").status_code == 200


def test_a_crowd_of_twice_the_listen_queue_is_answered(stack: Stack) -> None:
    crowd = 2048
    before = starts(stack)
    counts: dict[int, int] = {}
    for _ in range(3 if LONG else 1):
        with ExitStack() as connections:
            visitors = [connections.enter_context(connect(stack)) for _ in range(crowd)]
            for connection in visitors:
                connection.sendall(head(stack, "GET /", "Connection: close"))
            for connection in visitors:
                status = status_of(connection)
                counts[status] = counts.get(status, 0) + 1
    # One address may have 200 requests at a time; the rest are told so.
    assert set(counts) <= {200, 429}
    assert counts[200] >= 200
    assert starts(stack) == before


def test_a_crowd_takes_no_place_from_the_health_checks(stack: Stack) -> None:
    answers = Answers()
    with patient(stack) as client, ThreadPoolExecutor(180) as pool:
        for _ in range(180):
            pool.submit(answers.ask, client, "/slow?seconds=1")
        time.sleep(1)
        assert (
            inside(stack, "nginx", "curl -s --noproxy '*' http://127.0.0.1:8080/health/nginx")
            == "ok\n"
        )
    assert answers.counts == {200: 180}


HOSTILE = {
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    "chunks in disguise": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a path out of the site": b"GET /static/../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an encoded path out": b"GET /static/%2e%2e/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path out of media": b"GET /media/..%2f..%2fapp/config/settings.py HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: localhost/evil\r\n\r\n",
    "a URL of another host": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header of 100 kB": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "a line of 100 kB": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header with a zero": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    "an unknown method": b"FROB / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a length below zero": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("request_", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_request_is_refused_or_answered_once(stack: Stack, request_: bytes) -> None:
    with connect(stack) as connection:
        connection.settimeout(20)
        connection.sendall(request_)
        answer = b""
        try:
            connection.shutdown(socket.SHUT_WR)
            while block := connection.recv(1 << 16):
                answer += block
        except OSError:
            pass
    assert answer.count(b"HTTP/1.1 ") <= 1, "one request, two answers: smuggled"
    assert b"root:" not in answer
    assert b"SECRET_KEY" not in answer
    status = int(answer[9:12] or 0)
    assert status in {0, 501, 505} or 200 <= status < 500, answer[:200]


def test_random_bytes_do_no_harm(stack: Stack) -> None:
    source = random.Random(10)  # noqa: S311 -- the same bytes in each run
    before = starts(stack)
    for size in (1, 100, 1000, 50_000):
        for begin in (b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: localhost\r\n"):
            with connect(stack) as connection:
                connection.settimeout(20)
                try:
                    connection.sendall(begin + source.randbytes(size) + b"\r\n\r\n")
                except OSError:
                    continue
                assert status_of(connection) < 500
    assert starts(stack) == before


def test_slow_headers_end_and_keep_nobody_out(stack: Stack) -> None:
    started = time.monotonic()
    with ExitStack() as connections, visitor(stack, "/") as page:
        slow = [connections.enter_context(connect(stack)) for _ in range(500)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        threads = [threading.Thread(target=status_of, args=(connection,)) for connection in slow]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert time.monotonic() - started < 40, "nginx waits 15 s for the head of a request"
    assert set(page.counts) == {200}
    assert page.slowest < 2


def test_the_warm_server_keeps_no_first_visitor_waiting(stack: Stack) -> None:
    with patient(stack) as client:
        usual = Answers()
        for _ in range(40):
            usual.ask(client, "/")
        stack.compose("restart", "backend")
        eventually(lambda: client.get("/health/live").status_code, lambda status: status == 200, 30)
        first = Answers()
        for _ in range(40):
            first.ask(client, "/")
    assert set(first.counts) == {200}
    middle = sorted(seconds for _, seconds in usual.rows)[20]
    assert first.slowest < max(0.5, 20 * middle), f"usually {middle:.3f} s"
