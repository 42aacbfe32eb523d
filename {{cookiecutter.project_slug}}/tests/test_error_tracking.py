"""What an error tracker is told."""

import json
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest
import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from config import error_tracking


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Return the events that are sent from now on."""
    sent: list[Any] = []

    class Recorder(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            sent.append(envelope.get_event())

    monkeypatch.setattr("sentry_sdk.client.make_transport", Recorder)
    error_tracking.start("https://key@errors.example.com/1")
    yield sent
    sentry_sdk.get_global_scope().set_client(None)


# Not a literal: lines of the code are part of the event.
SECRET = token_hex()


def fail(request: HttpRequest) -> HttpResponse:
    """Fail as a view may."""
    password = SECRET  # noqa: F841
    raise ValueError


urlpatterns = [path("", fail)]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_an_error_names_its_request_and_nobody(rf: RequestFactory, events: list[Any]) -> None:
    request_id = "0123456789abcdef0123456789abcdef"
    headers = {
        "authorization": f"Bearer {SECRET}",
        "cookie": f"sessionid={SECRET}",
        "x-forwarded-for": "192.0.2.7",
        "x-request-id": request_id,
    }
    request = rf.get("/", {"token": SECRET}, headers=headers)
    # As the application server calls it: the test client would leave the tracker's part out.
    WSGIHandler()(request.environ, lambda *args: lambda data: None)
    (event,) = events
    assert event["tags"]["request_id"] == request_id
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event["request"]["url"] == "http://testserver/"
    assert SECRET not in json.dumps(event, default=str)
    assert event["request"]["headers"]["X-Forwarded-For"] != "192.0.2.7"
    assert "user" not in event


def test_a_dsn_that_is_none_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^SENTRY_DSN is not a DSN: .* For example: "):
        error_tracking.start("errors.example.com")
