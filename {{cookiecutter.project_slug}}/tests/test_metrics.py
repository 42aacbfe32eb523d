"""What Prometheus is told."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.test import Client

from config import metrics


def test_requests_are_measured_by_route_and_status(client: Client) -> None:
    client.get("/")
    client.get("/nowhere")
    text = client.get("/metrics", headers={"host": "192.0.2.1"}).text
    assert 'http_request_seconds_count{route="/",status="200"}' in text
    assert 'http_request_seconds_count{route="",status="404"}' in text


def test_the_time_before_a_thread_is_free_is_measured(client: Client) -> None:
    before = client.get("/metrics").text
    client.get("/", headers={"x-request-start": str(time.time() - 100)})
    last = 'http_queue_seconds_bucket{le="10.0"} '
    total = 'http_queue_seconds_bucket{le="+Inf"} '
    text = client.get("/metrics").text
    assert value(text, total) == value(before, total) + 1
    assert value(text, last) == value(before, last)


def value(text: str, name: str) -> float:
    """Return the value of a metric."""
    return float(text.split(name)[1].split()[0])


def test_visitors_do_not_get_them(client: Client) -> None:
    assert client.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"}).status_code == 404


def test_all_processes_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from config.metrics import CACHE_READS; CACHE_READS.labels('hit').inc()"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    # This one runs beside the others, which run one after the other.
    first = metrics.Slot(tmp_path)
    assert first() == 0
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
    assert {path.stem[-1] for path in tmp_path.glob("*.db")} == {"1"}
    monkeypatch.setattr(metrics, "FOLDER", str(tmp_path))
    assert 'cache_reads_total{result="hit"} 2.0' in metrics.metrics().text


def test_a_number_that_another_process_has_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = iter([True, False])

    def lock(file: object, how: int) -> None:
        if next(taken):
            raise OSError("locked")

    monkeypatch.setattr("fcntl.lockf", lock)
    assert metrics.Slot(tmp_path)() == 1
