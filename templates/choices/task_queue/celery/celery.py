{% from "catalogue.jinja" import queue with context %}
"""The task queue: what sends tasks, and what the services `worker` and `beat` run.

CELERY_* in settings.py configure it; the tasks are in the apps' tasks.py. A task may be done twice: see there.
"""

import faulthandler
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import Celery, signals
from celery.beat import PersistentScheduler
from django.conf import settings
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from . import metrics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("{{ cookiecutter.project_slug }}")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Renewed while a process works: docker/{{ queue.health }} looks at it.
HEARTBEAT = Path("/tmp/heartbeat")  # noqa: S108 -- the container's own
# Seconds after which a process that hangs says where, and ends: Docker restarts what ends, but not what is unhealthy.
SILENCE = 300


def broker(url: str) -> dict[str, str]:
    """Return the URL of a broker; ValueError if it is one of something else."""
    if urlsplit(url).scheme not in ("redis", "rediss"):
        raise ValueError(url)
    return {"url": url}


@signals.heartbeat_sent.connect
def show_life(**kwargs: object) -> None:
    """Show that a worker lives, every two seconds while it is connected to the broker."""
    HEARTBEAT.touch()
    faulthandler.dump_traceback_later(SILENCE, exit=True, file=sys.__stderr__ or sys.stderr)


class Scheduler(PersistentScheduler):
    """The schedule, which shows that beat lives."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return the seconds until something else is."""
        show_life()
        return super().tick(*args, **kwargs)


@signals.beat_init.connect
@signals.worker_process_init.connect
def send_traces(**kwargs: object) -> None:
    """Send traces, if there is an address for them, from each process that does tasks, and from beat."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from . import tracing

        tracing.instrument()
        tracing.start()


@signals.before_task_publish.connect
def stamp(headers: dict[str, Any], **kwargs: object) -> None:
    """Write on a task when it was sent."""
    headers["sent_at"] = time.time()


class Queues(Collector):
    """How many tasks wait, and for how long the oldest has: asked for when Prometheus asks."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics; without an answer from the broker, only that there is none."""
        up = GaugeMetricFamily("task_broker_up", "Whether the broker answers")
        length = GaugeMetricFamily("task_queue_length", "Tasks that wait", labels=["queue"])
        age = GaugeMetricFamily(
            "task_queue_age_seconds", "How long the oldest has waited", labels=["queue"]
        )
        taken = GaugeMetricFamily("tasks_taken", "Tasks that workers have and are not done")
        try:
            queues, unfinished = waiting()
        except redis.RedisError:
            up.add_metric([], 0)
            yield up
        else:
            for name, (count, seconds) in queues.items():
                length.add_metric([name], count)
                age.add_metric([name], seconds)
            taken.add_metric([], unfinished)
            up.add_metric([], 1)
            yield from (up, length, age, taken)


def waiting() -> tuple[dict[str, tuple[int, float]], int]:
    """Return how many tasks wait in each queue, and the oldest for how many seconds; and how many workers have.

    redis.RedisError if the broker does not answer at once.
    """
    found = {}
    with redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=0.5, socket_timeout=0.5
    ) as client:
        for queue in settings.CELERY_TASK_QUEUES:
            oldest = client.lindex(queue.name, -1)
            found[queue.name] = client.llen(queue.name), max(time.time() - sent_at(oldest), 0.0)
        return found, client.hlen("unacked")


def sent_at(message: str | bytes | None) -> float:
    """Return when a task was sent; now if there is none, or it does not say, such as another program's."""
    try:
        return float(json.loads(message or "{}")["headers"]["sent_at"])
    except (KeyError, TypeError, ValueError):
        return time.time()


def tasks_are_done() -> bool:
    """Tell whether the broker answers, and no task has waited for longer than one may take."""
    try:
        queues, _ = waiting()
    except redis.RedisError:
        return False
    return all(seconds < settings.TASK_TIME_LIMIT for _, seconds in queues.values())


metrics.ASKED.register(Queues())
