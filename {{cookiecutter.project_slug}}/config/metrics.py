"""Metrics for Prometheus, at /metrics, for other containers only: nginx does not serve it.

Each process counts in a file of its own, in the folder that docker/entrypoint.sh makes, and whichever is asked adds
them up. Without the folder, as in development, there is one process, which counts in memory.
"""

import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR")


class Slot:
    """The smallest number that no other running process has; it names a process's file.

    The id of the process would name it, too, but servers replace their processes for ever: a new one goes on with
    the file of one that ended.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.number, self.pid = 0, 0

    def __call__(self) -> int:
        """Return the number of this process."""
        if self.pid != os.getpid():
            self.number, self.pid = next(filter(self.take, count())), os.getpid()
        return self.number

    def take(self, number: int) -> bool:
        """Take a number until the process ends; false if another process has it."""
        import fcntl  # Windows, where people may develop, lacks it.

        file = (self.folder / f"{number}.lock").open("w")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self.file = file
        return True


values.ValueClass = values.MultiProcessValue(Slot(FOLDER)) if FOLDER else values.ValueClass

REQUESTS = Histogram("http_request_seconds", "Requests in the backend", ["route", "status"])
QUEUE = Histogram("http_queue_seconds", "From nginx until the backend has a thread free")
CACHE_READS = Counter("cache_reads", "Reads of the cache", ["result"])
# What is not counted here, but asked for when Prometheus asks.
ASKED = CollectorRegistry()


class MetricsMiddleware:
    """Measure each request, and answer Prometheus."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # nginx sets this header on every request.
        if request.path_info == "/metrics" and "x-forwarded-for" not in request.headers:
            return metrics()
        if sent := request.headers.get("x-request-start"):
            QUEUE.observe(max(time.time() - float(sent), 0))
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        route = f"/{request.resolver_match.route}" if request.resolver_match else ""
        REQUESTS.labels(route, response.status_code).observe(seconds)
        return response


def metrics() -> HttpResponse:
    """Return the metrics of all processes."""
    registry = REGISTRY
    if FOLDER:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, FOLDER)
    text = generate_latest(registry) + generate_latest(ASKED)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
