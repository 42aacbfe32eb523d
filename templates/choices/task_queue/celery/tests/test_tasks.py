"""Tasks. Those tests that need a broker use the one in CELERY_BROKER_URL, which `docker compose` and CI have."""

import faulthandler
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from celery import Celery
from celery.beat import PersistentScheduler
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from config import celery
from config.celery import app

# Nobody listens on this port.
DOWN = "redis://127.0.0.1:1/0"
CLEAR_SESSIONS = "{{ cookiecutter.project_slug }}.core.tasks.clear_sessions"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Celery]]:
    """Return a function that returns an application like the project's, with another broker."""
    with Celery("tests", set_as_current=False) as other:
        other.config_from_object("django.conf:settings", namespace="CELERY")
        app.loader.import_default_modules()

        def connect(url: str) -> Celery:
            # Celery prefers the environment to the settings.
            monkeypatch.setenv("CELERY_BROKER_URL", url)
            monkeypatch.setattr(settings, "CELERY_BROKER_URL", url)
            return other

        yield connect


@pytest.fixture
def queue(connect: Callable[[str], Celery]) -> Iterator[Celery]:
    """Return an application whose queues are empty, and not those that a worker beside the tests looks at."""
    if not (url := os.environ.get("CELERY_BROKER_URL")):
        pytest.skip("CELERY_BROKER_URL is not set")
    queue = connect(urlsplit(url)._replace(path="/15").geturl())
    queue.control.purge()
    yield queue
    queue.control.purge()


@pytest.mark.django_db(transaction=True)
def test_a_task_waits_in_its_queue_until_a_worker_does_it(
    queue: Celery, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Session.objects.create(session_key="old", expire_date=timezone.now() - timedelta(days=1))
    queue.tasks[CLEAR_SESSIONS].delay()
    text = client.get("/metrics").text
    assert "task_broker_up 1.0" in text
    assert 'task_queue_length{queue="slow"} 1.0' in text
    assert 0 <= float(text.split('task_queue_age_seconds{queue="slow"} ')[1].split()[0]) < 60
    assert celery.tasks_are_done()
    monkeypatch.setattr(settings, "TASK_TIME_LIMIT", 0)
    assert not celery.tasks_are_done()
    with start_worker(queue, perform_ping_check=False):
        limit = time.monotonic() + 30
        while Session.objects.exists() and time.monotonic() < limit:
            time.sleep(0.05)
    assert not Session.objects.exists()
    assert 'task_queue_length{queue="slow"} 0.0' in client.get("/metrics").text


def test_without_a_broker_a_send_fails_and_does_not_wait(
    connect: Callable[[str], Celery],
) -> None:
    queue = connect(DOWN)
    start = time.monotonic()
    with pytest.raises(OperationalError, match=r"127\.0\.0\.1:1"):
        queue.tasks[CLEAR_SESSIONS].delay()
    assert time.monotonic() - start < 5


def test_without_a_broker_there_are_metrics(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", DOWN)
    text = client.get("/metrics").text
    assert "task_broker_up 0.0" in text
    assert "task_queue_length" not in text
    assert "http_request_seconds" in text
    assert not celery.tasks_are_done()


@pytest.mark.parametrize("message", [None, b"{}", b'{"headers": {}}', b"[]", b"no JSON", b"\xff"])
def test_a_task_that_does_not_say_when_it_was_sent_has_not_waited(message: bytes | None) -> None:
    assert time.time() - celery.sent_at(message) < 10


def test_a_url_of_something_else_is_no_broker() -> None:
    assert celery.broker(DOWN) == {"url": DOWN}
    with pytest.raises(ValueError, match="amqp"):
        celery.broker("amqp://localhost")


def test_what_is_scheduled_and_what_has_a_queue_are_tasks_of_the_project() -> None:
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
    for name, route in settings.CELERY_TASK_ROUTES.items():
        assert name in app.tasks
        assert route["queue"] in queues


def test_a_task_does_not_come_back_while_it_waits_or_runs() -> None:
    back = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    retry = settings.TASK_RETRY["retry_backoff_max"]
    assert back >= retry + 2 * settings.CELERY_TASK_TIME_LIMIT
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT


def test_beat_shows_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celery, "HEARTBEAT", tmp_path / "heartbeat")
    monkeypatch.setattr(PersistentScheduler, "tick", lambda self: 1.0)
    assert celery.Scheduler(app, lazy=True).tick() == 1.0
    faulthandler.cancel_dump_traceback_later()
    assert (tmp_path / "heartbeat").exists()


def test_a_process_that_hangs_says_where_and_ends(tmp_path: Path) -> None:
    code = "import pathlib, time; from config import celery; celery.SILENCE = 0.1\n"
    code += f"celery.HEARTBEAT = pathlib.Path({str(tmp_path / 'heartbeat')!r})\n"
    code += "celery.show_life(); time.sleep(60)"
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert 'File "<string>", line 3' in ended.stderr
