"""The benchmarks: verdicts, what is said of a peer that cannot be fetched, sums for more machines, and first paints."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import paint
import pytest
import scale
from generation import OURS, PEERS, UNIT, clone, report
from serving import Failure

from tests.support.commands import program
from tools.browser import BROWSERS, DRIVER, opened

PEER = "wemake-django-template"
SECONDS = {UNIT: [1.0, 2.0, 1.0], OURS: [2.0, 4.0, 2.0], PEER: [3.0, 6.0, 3.0]}


@pytest.mark.parametrize(
    ("slower", "verdicts"),
    [
        pytest.param({}, ["ok", "ok"], id="within the limits"),
        pytest.param({UNIT: [0.7, 1.4, 0.7]}, ["MISSED", "ok"], id="2.86 times the empty template"),
        pytest.param({PEER: [2.0, 4.0, 2.0]}, ["ok", "MISSED"], id="as slow as a peer"),
        # One disturbed round of three.
        pytest.param({PEER: [3.0, 1.0, 3.0]}, ["ok", "ok"], id="a peer that was faster once"),
    ],
)
def test_a_missed_limit_is_named_and_fails(
    slower: dict[str, list[float]], verdicts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    missed = report(SECONDS | slower, dict.fromkeys(SECONDS, 1), {PEER: "abc1234"})
    _, unit, *rows = capsys.readouterr().out.splitlines()
    assert unit.startswith(UNIT)
    assert [row.split()[-1] for row in rows] == verdicts
    assert missed == ("MISSED" in verdicts)


def test_a_peer_that_is_not_there_is_a_failure_with_gits_reason(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="does not exist"):
        clone(PEERS[PEER], str(tmp_path / "nowhere"), tmp_path / "clone")


def test_more_machines_take_more_until_the_database_is_full() -> None:
    mean = scale.Cost(nginx=0.2, backend=7.8, database=1.5, cache=0.5)
    rows = {(row[0], row[1]): row[2:] for row in scale.arrangements(mean, 8, 151)}
    assert len(rows) == len(scale.SIZES) * len(scale.MACHINES)
    # Of four processors, two thirds of 4,000 ms a second.
    assert rows["c7i.xlarge", 1][0] == "267"  # / 10 ms
    assert rows["c7i.xlarge", 2][0] == "333"  # / 8 ms, on one machine beside the database
    assert rows["c7i.xlarge", 100][0] == "1,333"  # / 2 ms, of the database
    assert rows["c7i.xlarge", 4][3] == "backends"
    assert rows["c7i.xlarge", 10][3] == "the database's processors, 288 connections"
    assert rows["t3.small", 1][2] == "0.043"  # 133 requests a second


@pytest.mark.parametrize(
    ("slow", "missed"),
    [([299, 300, 900], []), ([1, 301, 302], ["list: 301 ms is more than 300"])],
    ids=["one slow paint", "a slow page"],
)
def test_a_page_is_as_slow_as_its_median(
    slow: list[float], missed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pages = {"landing page": [1.0, 2.0, 3.0], "list": slow}
    found = paint.report(
        {page: [paint.Paint(0.5, one) for one in paints] for page, paints in pages.items()}
    )
    assert found == missed
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-2:]]
    assert rows[0] == ["landing", "page", "2", "3", "300", "0"]
    assert rows[1][1:3] == [str(slow[1]), str(slow[2])]


def test_a_page_is_opened_with_an_empty_cache_and_painted() -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            style = self.path == "/style.css"
            body = b"p { color: red }" if style else b"<link rel=stylesheet href=style.css><p>It."
            self.send_response(200)
            self.send_header("Cache-Control", "max-age=3600")
            self.send_header("Content-Type", "text/css" if style else "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with opened(program(*BROWSERS), program(DRIVER)) as browser:
            for _ in range(2):
                found = paint.measure(browser, f"http://127.0.0.1:{server.server_port}/")
                assert 0 < found.byte < found.paint
        server.shutdown()
    assert [asked.count(path) for path in ("/", "/style.css")] == [2, 2]
