"""The import of readings: as often as it likes, it makes each reading once."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from {{ cookiecutter.project_slug }}.drainage import tasks
from {{ cookiecutter.project_slug }}.drainage.current import current
from {{ cookiecutter.project_slug }}.drainage.models import Reading, Station

from .factories import ReadingFactory, StationFactory

pytestmark = pytest.mark.django_db

CLIENT = httpx.Client
Source = Callable[[int, list[dict[str, Any]]], None]


@pytest.fixture
def station() -> Station:
    """Return the station that the rows name."""
    return StationFactory.create(district__code="01", name="종로 1")


def row(**other: object) -> dict[str, Any]:
    """Return a row of the source."""
    time = "2021-12-02T09:00+09:00"
    known = {"district": "01", "kind": "rainfall", "station": "종로 1", "measured_at": time}
    return {**known, "value": "1.50", **other}


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Source:
    """Return a function that sets what the source answers."""
    settings.READINGS_URL = "https://readings.example.com/"

    def answer(status: int, rows: list[dict[str, Any]]) -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(status, json=rows))
        monkeypatch.setattr("httpx.Client", partial(CLIENT, transport=transport))

    return answer


def test_a_reading_is_there_once_with_its_newest_value(station: Station, source: Source) -> None:
    source(200, [row(), row(value="2"), row(measured_at="2021-12-02T09:10+09:00")])
    tasks.import_readings()
    source(200, [row(value="3")])
    tasks.import_readings()
    readings = Reading.objects.filter(station=station).order_by("measured_at")
    assert [float(reading.value) for reading in readings] == [3, 1.5]
    assert readings[0].measured_at == datetime(2021, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize("value", [0.4, 12.34, 3, "0.40"])
def test_a_value_is_a_number_or_text(value: float | str, station: Station, source: Source) -> None:
    source(200, [row(value=value)])
    tasks.import_readings()
    assert float(Reading.objects.get().value) == float(value)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"station": "unknown"}, {"value": "-1"}, {"value": None}, {"value": True}),
        *({"value": 0.005}, {"value": float("1e300")}),
        *({"measured_at": "soon"}, {"measured_at": "2099-01-01T00:00Z"}),
    ],
    ids=str,
)
def test_a_row_that_is_no_reading_does_not_stop_the_others(
    wrong: dict[str, Any], station: Station, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    source(200, [row(**wrong), {}, row(value="2")])
    tasks.import_readings()
    assert [float(reading.value) for reading in Reading.objects.all()] == [2]
    assert caplog.text.count("A row is not a reading") == 2


def test_what_is_imported_is_seen_at_once(
    station: Station,
    source: Source,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    assert current(station.district_id)[0]["value"] is None
    source(200, [row()])
    with django_capture_on_commit_callbacks(execute=True):
        tasks.import_readings()
    assert current(station.district_id)[0]["value"] == 1.5


def test_a_source_that_does_not_answer_is_asked_again(source: Source) -> None:
    source(503, [])
    with pytest.raises(httpx.HTTPStatusError):  # In a worker, Celery sends the task once more.
        tasks.import_readings()


def test_without_a_source_nothing_is_imported(settings: Settings) -> None:
    settings.READINGS_URL = ""
    tasks.import_readings()
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("error", "said"), [(None, "being imported"), (OperationalError, "cannot be sent")]
)
def test_an_administrator_can_import_now(
    error: type[Exception] | None,
    said: str,
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send() -> None:
        sent.append(True)
        if error:
            raise error

    sent: list[bool] = []
    monkeypatch.setattr(tasks.import_readings, "delay_on_commit", send)
    form = {"action": "import_now", "_selected_action": [ReadingFactory.create().pk]}
    page = admin_client.post(reverse("admin:drainage_reading_changelist"), form, follow=True)
    assert said in page.text
    assert sent == [True]
