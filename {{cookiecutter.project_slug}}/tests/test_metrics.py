"""What Prometheus is told."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch

from config import metrics


def test_requests_are_measured_by_route_and_status(rf: RequestFactory) -> None:
    request = rf.get("/blog/1/")
    answer = metrics.MetricsMiddleware(lambda request: HttpResponse(status=204))
    answer(request)
    request.resolver_match = ResolverMatch(answer, (), {}, route="blog/<int:pk>/")
    answer(request)
    text = metrics.metrics().text
    assert 'http_request_seconds_count{route="",status="204"} 1.0' in text
    assert 'http_request_seconds_count{route="/blog/<int:pk>/",status="204"} 1.0' in text


def test_the_time_before_a_thread_is_free_is_measured(client: Client, rf: RequestFactory) -> None:
    before = client.get("/metrics").text
    started = rf.get("/", headers={"x-request-start": str(time.time() - 100)})
    metrics.MetricsMiddleware(lambda request: HttpResponse())(started)
    last = 'http_queue_seconds_bucket{le="10.0"} '
    total = 'http_queue_seconds_bucket{le="+Inf"} '
    text = client.get("/metrics").text
    assert value(text, total) == value(before, total) + 1
    assert value(text, last) == value(before, last)


def value(text: str, name: str) -> float:
    """Return the value of a metric."""
    return float(text.split(name)[1].split()[0])


def test_visitors_do_not_get_them(rf: RequestFactory) -> None:
    request = rf.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"})
    answer = metrics.MetricsMiddleware(lambda request: HttpResponse("not them"))
    assert answer(request).text == "not them"


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
